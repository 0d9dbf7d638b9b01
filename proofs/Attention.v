(** * One head of attention, in its query vector

    The query q is compared with n keys K_i by scalar products; the softmax of these scores weights the values v_i. *)

From Coq Require Import Reals Psatz Arith Lia.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Functions Scalars Sums Gradients Layers Softmax.
Open Scope R_scope.

Section Attention.
Variables (n d : nat) (K : nat -> nat -> R) (v : nat -> R) (scale : R).
Hypothesis Hn : (0 < n)%nat.

Definition scores (q : nat -> R) : nat -> R := fun i => scale * Sum d (fun c => q c * K i c).
Definition attention (q : nat -> R) : R := Sum n (fun i => softmax n (scores q) i * v i).

Lemma scores_jac q : is_jac n d scores q (fun i c => scale * K i c).
Proof.
  intros i Hi. unfold scores. apply grad_scal.
  apply (sum_grad d (fun c t => t * K i c) (fun c => K i c)). intros c Hc.
  eapply d_eq; [apply d_scal_r, d_id | ring].
Qed.

(** The slope in the scores, whatever the values are: p (v - sum p v), a softmax behind a weighted sum. *)
Theorem attention_scores s :
  is_grad n (fun s => Sum n (fun i => softmax n s i * v i)) s
    (fun k => softmax n s k * (v k - Sum n (fun i => v i * softmax n s i))).
Proof.
  apply (bp_softmax_separable n (fun i p => p * v i) v); auto.
  intros i Hi. eapply d_eq; [apply d_scal_r, d_id | ring].
Qed.

Theorem attention_query q :
  let p := softmax n (scores q) in
  is_grad d attention q (fun c => Sum n (fun i => p i * (v i - Sum n (fun k => v k * p k)) * (scale * K i c))).
Proof.
  intros p. apply (backprop_step n d (fun s => Sum n (fun i => softmax n s i * v i)) scores q
    (fun k => p k * (v k - Sum n (fun i => v i * p i))) (fun i c => scale * K i c)).
  - apply attention_scores.
  - apply scores_jac.
Qed.
End Attention.

(** * Batches of examples, means over them, and weight decay

    A batch is a family of examples e = 0 ... m - 1 that share weights and biases. The loss of the batch is a sum of one
    term for each example, [tail e] of that example's vector; a mean has its factor 1/m inside [tail e]. So delta of an
    example is the delta of its own term, and the gradients of weights and biases are sums over the batch. *)

From Coq Require Import Reals Psatz Arith Lia.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Sums Gradients Layers.
Open Scope R_scope.

Section Batch.
Variables (m n h : nat) (tail : nat -> (nat -> R) -> R).

(** Delta: only the term of example e depends on its entries. Row e of z is the vector of example e. *)
Theorem batch_delta (z delta : nat -> nat -> R) e k : (e < m)%nat -> (k < h)%nat ->
  (forall r, (r < m)%nat -> is_grad h (tail r) (z r) (delta r)) ->
  is_derive (fun t => Sum m (fun r => tail r (updM z e k t r))) (z e k) (delta e k).
Proof.
  intros He Hk H. eapply d_eq.
  - apply d_Sum with (f := fun t r => tail r (updM z e k t r)) (d := fun r => delta r k * kron r e). intros r Hr.
    unfold updM. destruct (Nat.eq_dec r e) as [-> | N].
    + rewrite kron_same, Rmult_1_r. apply (is_grad_partial h (tail e) (z e) (delta e) k Hk (H e He)).
    + rewrite (kron_other r e N), Rmult_0_r. apply d_const.
  - apply (Sum_kron m e (fun r => delta r k)), He.
Qed.

Variables (W : nat -> nat -> R) (b : nat -> R) (a delta : nat -> nat -> R).
Hypothesis H : forall e, (e < m)%nat -> is_grad h (tail e) (affine n W b (a e)) (delta e).

Theorem batch_weight i j : (i < h)%nat -> (j < n)%nat ->
  is_derive (fun t => Sum m (fun e => tail e (affine n (updM W i j t) b (a e)))) (W i j)
    (Sum m (fun e => delta e i * a e j)).
Proof.
  intros Hi Hj. apply d_Sum with (f := fun t e => tail e (affine n (updM W i j t) b (a e))).
  intros e He. apply (bp_weight h n (tail e)); auto.
Qed.

Theorem batch_bias i : (i < h)%nat ->
  is_derive (fun t => Sum m (fun e => tail e (affine n W (upd b i t) (a e)))) (b i) (Sum m (fun e => delta e i)).
Proof.
  intros Hi. apply d_Sum with (f := fun t e => tail e (affine n W (upd b i t) (a e))).
  intros e He. apply (bp_bias h n (tail e)); auto.
Qed.
End Batch.

(** Weight decay, lambda/2 times the sum of all squared weights, adds lambda W_ij to the gradient of W_ij. *)
Lemma d_squares m n W i j : (i < m)%nat -> (j < n)%nat ->
  is_derive (fun t => Sum m (fun r => Sum n (fun q => updM W i j t r q ^ 2))) (W i j) (2 * W i j).
Proof.
  intros Hi Hj. eapply d_eq.
  - apply d_Sum with (f := fun t r => Sum n (fun q => updM W i j t r q ^ 2))
      (d := fun r => Sum n (fun q => 2 * W r q * kron q j) * kron r i).
    intros r Hr. eapply d_eq.
    + apply d_Sum with (f := fun t q => updM W i j t r q ^ 2) (d := fun q => 2 * W r q * kron q j * kron r i).
      intros q Hq. eapply d_eq; [apply d_pow, d_updM | cbv beta]. rewrite updM_self. simpl. ring.
    + rewrite <- Sum_scal_r. reflexivity.
  - rewrite (Sum_kron m i (fun r => Sum n (fun q => 2 * W r q * kron q j))), (Sum_kron n j (fun q => 2 * W i q)) by auto.
    reflexivity.
Qed.

Theorem weight_decay m n W lambda i j : (i < m)%nat -> (j < n)%nat ->
  is_derive (fun t => lambda / 2 * Sum m (fun r => Sum n (fun q => updM W i j t r q ^ 2))) (W i j) (lambda * W i j).
Proof. intros Hi Hj. eapply d_eq; [apply d_scal, d_squares; assumption | field]. Qed.

(** The batch where weights are stored by rows. *)
Theorem batch_weight_rows m n h tail V b (a delta : nat -> nat -> R) i j :
  (forall e, (e < m)%nat -> is_grad h (tail e) (affine n (fun r q => V q r) b (a e)) (delta e)) ->
  (i < h)%nat -> (j < n)%nat ->
  is_derive (fun t => Sum m (fun e => tail e (affine n (fun r q => updM V j i t q r) b (a e)))) (V j i)
    (Sum m (fun e => a e j * delta e i)).
Proof.
  intros H Hi Hj. apply d_Sum with (f := fun t e => tail e (affine n (fun r q => updM V j i t q r) b (a e))).
  intros e He. apply (bp_weight_rows h n (tail e)); auto.
Qed.

(** ** A family of weight matrices W 1, ..., W L, one of which is changed *)

Definition updL (W : nat -> nat -> nat -> R) (l : nat) (V : nat -> nat -> R) : nat -> nat -> nat -> R :=
  fun q => if Nat.eq_dec q l then V else W q.

(** A sum of one term for each layer, such as weight decay: only the term of the changed layer moves. *)
Theorem d_layers L (g : nat -> (nat -> nat -> R) -> R) W l i j d : (0 < l <= L)%nat ->
  is_derive (fun t => g l (updM (W l) i j t)) (W l i j) d ->
  is_derive (fun t => Sum L (fun q => g (S q) (updL W l (updM (W l) i j t) (S q)))) (W l i j) d.
Proof.
  intros Hl H. eapply d_eq.
  - apply d_Sum with (f := fun t q => g (S q) (updL W l (updM (W l) i j t) (S q))) (d := fun q => d * kron q (pred l)).
    intros q Hq. unfold updL. destruct (Nat.eq_dec (S q) l) as [E | N].
    + rewrite E. replace (pred l) with q by lia. rewrite kron_same, Rmult_1_r. exact H.
    + rewrite kron_other by lia. rewrite Rmult_0_r. apply d_const.
  - apply (Sum_kron L (pred l) (fun _ => d)). lia.
Qed.

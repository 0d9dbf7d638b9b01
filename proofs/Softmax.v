(** * Softmax, log-softmax, log-sum-exp, and the losses behind them, for any number n of classes *)

From Coq Require Import Reals Psatz Arith Lia.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Functions Scalars Sums Gradients.
Open Scope R_scope.

Definition sum_exp (n : nat) (z : nat -> R) : R := Sum n (fun j => exp (z j)).
Definition softmax (n : nat) (z : nat -> R) : nat -> R := fun i => exp (z i) / sum_exp n z.
Definition logsumexp (n : nat) (z : nat -> R) : R := ln (sum_exp n z).
Definition log_softmax (n : nat) (z : nat -> R) : nat -> R := fun i => z i - logsumexp n z.

Lemma sum_exp_pos n z : (0 < n)%nat -> 0 < sum_exp n z.
Proof. intros; apply Sum_pos; auto; intros; apply exp_pos. Qed.
Lemma softmax_pos n z i : (0 < n)%nat -> 0 < softmax n z i.
Proof. intros. unfold softmax. apply Rdiv_lt_0_compat; [apply exp_pos | apply sum_exp_pos; assumption]. Qed.
Lemma softmax_sum n z : (0 < n)%nat -> Sum n (softmax n z) = 1.
Proof.
  intros Hn. generalize (sum_exp_pos n z Hn); intros HZ. unfold softmax, Rdiv.
  rewrite (Sum_scal_r n (/ sum_exp n z) (fun i => exp (z i))). fold (sum_exp n z). field; lra.
Qed.

(** With two classes or more, a softmax output is less than 1; with one class it is 1. *)
Lemma softmax_lt_1 n z i : (1 < n)%nat -> (i < n)%nat -> softmax n z i < 1.
Proof.
  intros Hn Hi. rewrite <- (softmax_sum n z) by lia.
  assert (Q : 0 < Sum n (fun j => softmax n z j * (1 - kron j i))).
  { destruct n as [| [| n]]; try lia.
    destruct (Nat.eq_dec i (S n)) as [-> | N].
    - (* the term of the index 0 is positive *)
      assert (G : forall m, 0 < Sum (S m) (fun j => softmax (S (S n)) z j * (1 - kron j (S n))) \/ (S m > S n)%nat).
      { induction m; simpl.
        - left. rewrite kron_other by lia. generalize (softmax_pos (S (S n)) z 0%nat ltac:(lia)); lra.
        - destruct IHm as [IH | IH]; [| right; lia]. left. apply Rplus_lt_le_0_compat; [exact IH |].
          apply Rmult_le_pos; [left; apply softmax_pos; lia |]. unfold kron. destruct (Nat.eq_dec _ _); lra. }
      destruct (G n) as [G' | G']; [| lia].
      change (0 < Sum (S n) (fun j => softmax (S (S n)) z j * (1 - kron j (S n)))
                  + softmax (S (S n)) z (S n) * (1 - kron (S n) (S n))).
      rewrite kron_same. lra.
    - (* the last term is positive *)
      change (0 < Sum (S n) (fun j => softmax (S (S n)) z j * (1 - kron j i))
                  + softmax (S (S n)) z (S n) * (1 - kron (S n) i)).
      rewrite (kron_other (S n)) by lia. apply Rplus_le_lt_0_compat.
      + apply Sum_nonneg. intros j _. apply Rmult_le_pos; [left; apply softmax_pos; lia |].
        unfold kron. destruct (Nat.eq_dec _ _); lra.
      + generalize (softmax_pos (S (S n)) z (S n) ltac:(lia)); lra. }
  rewrite (Sum_ext n _ (fun j => softmax n z j - softmax n z j * kron j i)) in Q by (intros; ring).
  rewrite Sum_minus, Sum_kron in Q by assumption. lra.
Qed.

(** ** Slopes *)

Lemma sum_exp_grad n z : is_grad n (sum_exp n) z (fun j => exp (z j)).
Proof. apply sum_grad with (l := fun _ => exp). intros; apply is_derive_exp. Qed.

(** The gradient of log-sum-exp is softmax. *)
Lemma logsumexp_grad n z : (0 < n)%nat -> is_grad n (logsumexp n) z (softmax n z).
Proof.
  intros Hn. generalize (sum_exp_pos n z Hn); intros HZ.
  eapply is_grad_eq.
  - apply grad_comp with (f := ln); [apply sum_exp_grad | apply is_derive_ln; exact HZ].
  - intros; unfold softmax; cbv beta; field; lra.
Qed.
Lemma log_softmax_eq n z i : (0 < n)%nat -> ln (softmax n z i) = log_softmax n z i.
Proof.
  intros Hn. unfold softmax, log_softmax, logsumexp. rewrite ln_div; [| apply exp_pos | apply sum_exp_pos, Hn].
  rewrite ln_exp; reflexivity.
Qed.
Lemma log_softmax_jac n z : (0 < n)%nat -> is_jac n n (log_softmax n) z (fun i j => kron j i - softmax n z j).
Proof.
  intros Hn i Hi. unfold log_softmax. apply grad_minus; [apply coord_grad, Hi | apply logsumexp_grad, Hn].
Qed.

(** The Jacobian matrix of softmax: p_i (1 - p_i) on the diagonal, - p_i p_j beside it. *)
Lemma softmax_jac n z : (0 < n)%nat ->
  is_jac n n (softmax n) z (fun i j => softmax n z i * (kron j i - softmax n z j)).
Proof.
  intros Hn i Hi.
  apply is_grad_ext with (fun u => exp (log_softmax n u i)).
  { intros; rewrite <- log_softmax_eq by assumption. apply exp_ln, softmax_pos, Hn. }
  eapply is_grad_eq.
  - apply grad_comp with (f := exp); [apply (log_softmax_jac n z Hn i Hi) | apply is_derive_exp].
  - intros; cbv beta. rewrite <- log_softmax_eq by assumption. rewrite exp_ln; [reflexivity | apply softmax_pos, Hn].
Qed.

(** ** The backward pass through softmax and log-softmax, whatever comes after *)

Theorem bp_softmax n L z g : (0 < n)%nat ->
  is_grad n L (softmax n z) g ->
  is_grad n (fun u => L (softmax n u)) z
    (fun k => softmax n z k * (g k - Sum n (fun i => g i * softmax n z i))).
Proof.
  intros Hn H. eapply is_grad_eq.
  - apply backprop_step; [exact H | apply softmax_jac, Hn].
  - intros k Hk; cbv beta.
    rewrite (Sum_ext n _ (fun i => g i * softmax n z i * kron k i - g i * softmax n z i * softmax n z k)) by (intros; ring).
    rewrite Sum_minus, Sum_scal_r, Sum_kron' by assumption. ring.
Qed.

Theorem bp_log_softmax n L z g : (0 < n)%nat ->
  is_grad n L (log_softmax n z) g ->
  is_grad n (fun u => L (log_softmax n u)) z (fun k => g k - softmax n z k * Sum n g).
Proof.
  intros Hn H. eapply is_grad_eq.
  - apply backprop_step; [exact H | apply log_softmax_jac, Hn].
  - intros k Hk; cbv beta.
    rewrite (Sum_ext n _ (fun i => g i * kron k i - g i * softmax n z k)) by (intros; ring).
    rewrite Sum_minus, Sum_scal_r, Sum_kron' by assumption. ring.
Qed.

(** Softmax behind a loss with one term for each output: squared error, Huber, focal, ... *)
Theorem bp_softmax_separable n (l : nat -> R -> R) (l' : nat -> R) z : (0 < n)%nat ->
  (forall i, (i < n)%nat -> is_derive (l i) (softmax n z i) (l' i)) ->
  is_grad n (fun u => Sum n (fun i => l i (softmax n u i))) z
    (fun k => softmax n z k * (l' k - Sum n (fun i => l' i * softmax n z i))).
Proof. intros Hn H. apply (bp_softmax n (fun p => Sum n (fun i => l i (p i)))); auto. apply sum_grad, H. Qed.

(** ** Softmax with cross-entropy: p_k sum(y) - y_k, and p_k - y_k when the targets sum to 1 *)

Theorem softmax_ce n y z : (0 < n)%nat ->
  is_grad n (fun u => - Sum n (fun i => y i * ln (softmax n u i))) z (fun k => Sum n y * softmax n z k - y k).
Proof.
  intros Hn.
  apply is_grad_ext with (fun u => (-1) * Sum n (fun i => y i * ln (softmax n u i))); [intros; ring |].
  eapply is_grad_eq.
  - apply grad_scal. apply (bp_softmax_separable n (fun i p => y i * ln p) (fun i => y i / softmax n z i)); auto.
    intros i Hi. apply d_scal. eapply d_eq; [apply is_derive_ln, softmax_pos, Hn | reflexivity].
  - intros k Hk; cbv beta. generalize (softmax_pos n z k Hn); intros P.
    rewrite (Sum_ext n (fun i => y i / softmax n z i * softmax n z i) y).
    + field; lra.
    + intros i Hi. generalize (softmax_pos n z i Hn); intros. field; lra.
Qed.

Corollary softmax_ce_partial n y z k : (k < n)%nat -> Sum n y = 1 ->
  is_derive (fun t => - Sum n (fun i => y i * ln (softmax n (upd z k t) i))) (z k) (softmax n z k - y k).
Proof.
  intros Hk Hy. eapply d_eq.
  - apply (is_grad_partial n (fun u => - Sum n (fun i => y i * ln (softmax n u i))) z
             (fun k => Sum n y * softmax n z k - y k) k Hk).
    apply softmax_ce; lia.
  - cbv beta; rewrite Hy; ring.
Qed.

(** Negative log-likelihood behind log-softmax is the same loss, written without the logarithm of a quotient. *)
Theorem log_softmax_nll n y z : (0 < n)%nat ->
  is_grad n (fun u => - Sum n (fun i => y i * log_softmax n u i)) z (fun k => Sum n y * softmax n z k - y k).
Proof.
  intros Hn. apply is_grad_ext with (fun u => - Sum n (fun i => y i * ln (softmax n u i))).
  - intros u. f_equal. apply Sum_ext; intros. rewrite log_softmax_eq; auto.
  - apply softmax_ce, Hn.
Qed.

(** Kullback-Leibler divergence differs from cross-entropy by a constant of the targets. *)
Theorem softmax_kl n y z : (0 < n)%nat ->
  is_grad n (fun u => Sum n (fun i => y i * (ln (y i) - ln (softmax n u i)))) z (fun k => Sum n y * softmax n z k - y k).
Proof.
  intros Hn.
  apply is_grad_ext with (fun u => Sum n (fun i => y i * ln (y i)) + - Sum n (fun i => y i * ln (softmax n u i))).
  - intros u. rewrite <- Sum_opp, <- Sum_plus. apply Sum_ext; intros; ring.
  - eapply is_grad_eq; [apply grad_plus; [apply grad_const | apply softmax_ce, Hn] | intros; cbv beta; ring].
Qed.

(** * Finite sums over the indices 0, 1, ..., n - 1, with n a letter

    A vector of n entries is a function [nat -> R] of which only the entries 0 ... n - 1 are used; a matrix is a
    function [nat -> nat -> R]. [Sum n f] is f 0 + ... + f (n - 1); for n = 0 it is 0. *)

From Coq Require Import Reals Psatz Arith Lia.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules.
Open Scope R_scope.

Fixpoint Sum (n : nat) (f : nat -> R) : R :=
  match n with O => 0 | S k => Sum k f + f k end.

(** Coquelicot has a sum too, which includes its upper bound; it is the same thing. *)
Lemma Sum_sum_n n f : Sum (S n) f = sum_n f n.
Proof.
  induction n. { simpl. rewrite sum_O. ring. }
  rewrite sum_Sn, <- IHn. reflexivity.
Qed.

Lemma Sum_ext n f g : (forall i, (i < n)%nat -> f i = g i) -> Sum n f = Sum n g.
Proof. induction n; simpl; intros H; auto. rewrite IHn, H; auto. Qed.
Lemma Sum_plus n f g : Sum n (fun i => f i + g i) = Sum n f + Sum n g.
Proof. induction n; simpl; [ring |]. rewrite IHn; ring. Qed.
Lemma Sum_minus n f g : Sum n (fun i => f i - g i) = Sum n f - Sum n g.
Proof. induction n; simpl; [ring |]. rewrite IHn; ring. Qed.
Lemma Sum_opp n f : Sum n (fun i => - f i) = - Sum n f.
Proof. induction n; simpl; [ring |]. rewrite IHn; ring. Qed.
Lemma Sum_scal_l n c f : Sum n (fun i => c * f i) = c * Sum n f.
Proof. induction n; simpl; [ring |]. rewrite IHn; ring. Qed.
Lemma Sum_scal_r n c f : Sum n (fun i => f i * c) = Sum n f * c.
Proof. induction n; simpl; [ring |]. rewrite IHn; ring. Qed.
Lemma Sum_0 n : Sum n (fun _ => 0) = 0.
Proof. induction n; simpl; [ring |]. rewrite IHn; ring. Qed.
Lemma Sum_const n c : Sum n (fun _ => c) = INR n * c.
Proof. induction n; [simpl; ring |]. rewrite S_INR; simpl. rewrite IHn; ring. Qed.

(** The order of two sums does not matter. This is where backpropagation saves its work. *)
Lemma Sum_switch m n f :
  Sum m (fun i => Sum n (fun j => f i j)) = Sum n (fun j => Sum m (fun i => f i j)).
Proof.
  induction m; simpl. { symmetry; apply Sum_0. }
  rewrite IHm, <- Sum_plus. reflexivity.
Qed.

Lemma Sum_nonneg n f : (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= Sum n f.
Proof. induction n; simpl; intros H; [lra |]. apply Rplus_le_le_0_compat; auto. Qed.
Lemma Sum_pos n f : (0 < n)%nat -> (forall i, (i < n)%nat -> 0 < f i) -> 0 < Sum n f.
Proof.
  destruct n; [lia |]. intros _ H; simpl.
  apply Rplus_le_lt_0_compat; auto. apply Sum_nonneg; intros; left; auto.
Qed.
Lemma INR_pos n : (0 < n)%nat -> 0 < INR n.
Proof. intros; apply lt_0_INR; auto. Qed.

(** The derivative of a sum is the sum of the derivatives. *)
Lemma d_Sum n (f : R -> nat -> R) x (d : nat -> R) :
  (forall i, (i < n)%nat -> is_derive (fun t => f t i) x (d i)) ->
  is_derive (fun t => Sum n (fun i => f t i)) x (Sum n d).
Proof.
  induction n; simpl; intros H. { apply d_const. }
  apply d_plus; [apply IHn; auto | apply H; auto].
Qed.

(** ** Kronecker's delta: 1 where both indices are equal, else 0 *)

Definition kron (i k : nat) : R := if Nat.eq_dec i k then 1 else 0.

Lemma kron_same k : kron k k = 1.
Proof. unfold kron. destruct (Nat.eq_dec k k); congruence. Qed.
Lemma kron_other i k : i <> k -> kron i k = 0.
Proof. unfold kron. destruct (Nat.eq_dec i k); congruence. Qed.
Lemma kron_sym i k : kron i k = kron k i.
Proof. unfold kron. destruct (Nat.eq_dec i k), (Nat.eq_dec k i); congruence. Qed.

(** Summed over, it picks one term. *)
Lemma Sum_kron n k f : (k < n)%nat -> Sum n (fun i => f i * kron i k) = f k.
Proof.
  induction n; [lia |]; intros H; simpl.
  destruct (Nat.eq_dec k n) as [-> | N].
  - rewrite (Sum_ext n _ (fun _ => 0)), Sum_0, kron_same; [ring |].
    intros; rewrite kron_other by lia; ring.
  - rewrite IHn, kron_other by lia; ring.
Qed.
Lemma Sum_kron_l n k f : (k < n)%nat -> Sum n (fun i => kron i k * f i) = f k.
Proof. intros H. rewrite <- (Sum_kron n k f H). apply Sum_ext; intros; ring. Qed.
Lemma Sum_kron' n k f : (k < n)%nat -> Sum n (fun i => f i * kron k i) = f k.
Proof. intros. rewrite <- (Sum_kron n k f) by assumption. apply Sum_ext; intros. rewrite kron_sym; ring. Qed.
Lemma Sum_kron_l' n k f : (k < n)%nat -> Sum n (fun i => kron k i * f i) = f k.
Proof. intros. rewrite <- (Sum_kron' n k f) by assumption. apply Sum_ext; intros; ring. Qed.
Lemma Sum_kron1 n k : (k < n)%nat -> Sum n (fun i => kron i k) = 1.
Proof. intros. rewrite <- (Sum_kron n k (fun _ => 1)) by assumption. apply Sum_ext; intros; ring. Qed.
Lemma Sum_kron1' n k : (k < n)%nat -> Sum n (fun i => kron k i) = 1.
Proof. intros. rewrite <- (Sum_kron' n k (fun _ => 1)) by assumption. apply Sum_ext; intros; ring. Qed.
Lemma Sum_kron_mid n k f g : (k < n)%nat -> Sum n (fun i => f i * kron k i * g i) = f k * g k.
Proof. intros. rewrite <- (Sum_kron' n k (fun i => f i * g i)) by assumption. apply Sum_ext; intros; ring. Qed.

(** A sum with one term that is not 0, wherever the delta stands in its terms. *)
Lemma Sum_pick n k f : (k < n)%nat -> (forall i, (i < n)%nat -> i <> k -> f i = 0) -> Sum n f = f k.
Proof.
  intros Hk H. rewrite <- (Sum_kron n k f Hk). apply Sum_ext. intros i Hi.
  destruct (Nat.eq_dec i k) as [-> | N]; [rewrite kron_same; ring | rewrite (H i Hi N); ring].
Qed.

(** * Gradients of functions of n variables, and the chain rule that is backpropagation

    A partial derivative is a derivative along one coordinate. Partial derivatives alone do not compose: there are
    functions whose partial derivatives all exist and for which the chain rule fails. So we use a stronger notion,
    [is_grad n L v g]: along every differentiable curve through v, L is differentiable, and its slope is the scalar
    product of g with the velocity. (This is differentiability in the sense of Hadamard; for functions of n real
    variables it is the usual one. That equivalence is not proved here, and nothing depends on it:) [is_grad_partial]
    gives the plain partial derivatives back, and final theorems about given networks are stated with [is_derive]. *)

From Coq Require Import Reals Psatz Arith Lia.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Sums.
Open Scope R_scope.

(** ** Changing one entry of a vector or of a matrix *)

Definition upd (v : nat -> R) (k : nat) (t : R) : nat -> R := fun i => if Nat.eq_dec i k then t else v i.
Definition updM (W : nat -> nat -> R) (i j : nat) (t : R) : nat -> nat -> R :=
  fun r => if Nat.eq_dec r i then upd (W r) j t else W r.

Lemma upd_self v k i : upd v k (v k) i = v i.
Proof. unfold upd. destruct (Nat.eq_dec i k); congruence. Qed.
Lemma upd_here v k t : upd v k t k = t.
Proof. unfold upd. destruct (Nat.eq_dec k k); congruence. Qed.
Lemma d_upd v k i s : is_derive (fun t => upd v k t i) s (kron i k).
Proof. unfold upd, kron. destruct (Nat.eq_dec i k); [apply d_id | apply d_const]. Qed.
Lemma updM_self W i j r q : updM W i j (W i j) r q = W r q.
Proof. unfold updM. destruct (Nat.eq_dec r i) as [-> | N]; auto. apply upd_self. Qed.
Lemma d_updM W i j r q s : is_derive (fun t => updM W i j t r q) s (kron r i * kron q j).
Proof.
  unfold updM. destruct (Nat.eq_dec r i) as [-> | N].
  - rewrite kron_same, Rmult_1_l. apply d_upd.
  - rewrite (kron_other r i N), Rmult_0_l. apply d_const.
Qed.

(** The partial derivative of L in its k-th variable, at v. *)
Definition is_partial (L : (nat -> R) -> R) (v : nat -> R) (k : nat) (d : R) : Prop :=
  is_derive (fun t => L (upd v k t)) (v k) d.

(** ** Curves, gradients, Jacobian matrices *)

(** c is at v at the time s, with velocity c'. *)
Definition curve (n : nat) (c : R -> nat -> R) (s : R) (v c' : nat -> R) : Prop :=
  forall i, (i < n)%nat -> c s i = v i /\ is_derive (fun t => c t i) s (c' i).

(** The first half says that L reads only the entries 0 ... n - 1 of its argument. *)
Definition is_grad (n : nat) (L : (nat -> R) -> R) (v g : nat -> R) : Prop :=
  forall c s c', curve n c s v c' ->
    L (c s) = L v /\ is_derive (fun t => L (c t)) s (Sum n (fun i => g i * c' i)).

(** Row i of J is the gradient of the i-th output of F. *)
Definition is_jac (m n : nat) (F : (nat -> R) -> nat -> R) (v : nat -> R) (J : nat -> nat -> R) : Prop :=
  forall i, (i < m)%nat -> is_grad n (fun u => F u i) v (J i).

Theorem is_grad_partial n L v g k : (k < n)%nat -> is_grad n L v g -> is_partial L v k (g k).
Proof.
  intros Hk H. unfold is_partial.
  rewrite <- (Sum_kron n k g Hk). apply H with (c := upd v k).
  intros i Hi. split; [apply upd_self | apply d_upd].
Qed.

Lemma is_grad_eq n L v g g' : is_grad n L v g -> (forall i, (i < n)%nat -> g i = g' i) -> is_grad n L v g'.
Proof.
  intros H E c s c' Hc. destruct (H c s c' Hc) as [H1 H2]. split; auto.
  rewrite (Sum_ext n _ (fun i => g i * c' i)); auto.
  intros; rewrite E; auto.
Qed.
Lemma is_grad_ext n L L' v g : (forall u, L u = L' u) -> is_grad n L v g -> is_grad n L' v g.
Proof.
  intros E H c s c' Hc. destruct (H c s c' Hc) as [H1 H2]. split; [rewrite <- !E; auto |].
  apply is_derive_ext with (fun t => L (c t)); auto.
Qed.

(** ** The chain rule

    A differentiable map sends curves to curves, and velocities to J times velocities. Read backwards, from the slope
    of L at F v to the slope of L (F .) at v, this is delta -> J^T delta: one step of backpropagation. *)

Lemma jac_curve m n F v J c s c' : is_jac m n F v J -> curve n c s v c' ->
  curve m (fun t => F (c t)) s (F v) (fun i => Sum n (fun j => J i j * c' j)).
Proof. intros HF Hc i Hi. apply (HF i Hi c s c' Hc). Qed.

Theorem backprop_step m n L F v delta J :
  is_grad m L (F v) delta -> is_jac m n F v J ->
  is_grad n (fun u => L (F u)) v (fun j => Sum m (fun i => delta i * J i j)).
Proof.
  intros HL HF c s c' Hc.
  destruct (HL _ _ _ (jac_curve _ _ _ _ _ _ _ _ HF Hc)) as [H1 H2]. split; auto.
  eapply d_eq; [exact H2 |].
  rewrite (Sum_ext m _ (fun i => Sum n (fun j => delta i * J i j * c' j))).
  2: { intros; rewrite <- Sum_scal_l; apply Sum_ext; intros; ring. }
  rewrite Sum_switch. apply Sum_ext; intros. rewrite <- Sum_scal_r. reflexivity.
Qed.

Lemma is_jac_comp l m n G F v K J : is_jac l m G (F v) K -> is_jac m n F v J ->
  is_jac l n (fun u => G (F u)) v (fun i j => Sum m (fun k => K i k * J k j)).
Proof. intros HG HF i Hi. apply (backprop_step m n (fun u => G u i)); auto. Qed.

(** One scalar parameter t moves the vector Z(t): the slope of L in t. A weight and a bias are such parameters. *)
Theorem param_step m L z delta (Z : R -> nat -> R) s dz :
  is_grad m L z delta -> curve m Z s z dz ->
  is_derive (fun t => L (Z t)) s (Sum m (fun i => delta i * dz i)).
Proof. intros HL HZ. apply HL, HZ. Qed.

(** ** Gradients of sums, products, and functions of a scalar *)

(** A separable function: one term for each entry. *)
Lemma sum_grad n (l : nat -> R -> R) (l' : nat -> R) v :
  (forall i, (i < n)%nat -> is_derive (l i) (v i) (l' i)) ->
  is_grad n (fun u => Sum n (fun i => l i (u i))) v l'.
Proof.
  intros H c s c' Hc. split.
  - apply Sum_ext; intros i Hi. f_equal; apply Hc, Hi.
  - apply d_Sum with (f := fun t i => l i (c t i)). intros i Hi.
    destruct (Hc i Hi) as [E D].
    apply d_comp with (f := l i); [rewrite E; apply H, Hi | exact D].
Qed.
Lemma coord_grad n k v : (k < n)%nat -> is_grad n (fun u => u k) v (fun j => kron j k).
Proof.
  intros Hk c s c' Hc. destruct (Hc k Hk) as [E D]. split; auto.
  rewrite Sum_kron_l; auto.
Qed.
Lemma grad_const n k v : is_grad n (fun _ => k) v (fun _ => 0).
Proof.
  intros c s c' Hc. split; auto. eapply d_eq; [apply d_const |].
  rewrite (Sum_ext n _ (fun _ => 0)), Sum_0; auto. intros; ring.
Qed.
Lemma grad_scal n L v g k : is_grad n L v g -> is_grad n (fun u => k * L u) v (fun j => k * g j).
Proof.
  intros H c s c' Hc. destruct (H c s c' Hc) as [E D]. split; [rewrite E; auto |].
  eapply d_eq; [apply d_scal, D |]. rewrite <- Sum_scal_l. apply Sum_ext; intros; ring.
Qed.
Lemma grad_plus n L1 L2 v g1 g2 : is_grad n L1 v g1 -> is_grad n L2 v g2 ->
  is_grad n (fun u => L1 u + L2 u) v (fun j => g1 j + g2 j).
Proof.
  intros H1 H2 c s c' Hc. destruct (H1 c s c' Hc) as [E1 D1], (H2 c s c' Hc) as [E2 D2].
  split; [rewrite E1, E2; auto |].
  eapply d_eq; [apply d_plus; eassumption |]. rewrite <- Sum_plus. apply Sum_ext; intros; ring.
Qed.
Lemma grad_minus n L1 L2 v g1 g2 : is_grad n L1 v g1 -> is_grad n L2 v g2 ->
  is_grad n (fun u => L1 u - L2 u) v (fun j => g1 j - g2 j).
Proof.
  intros H1 H2. apply is_grad_ext with (fun u => L1 u + (-1) * L2 u); [intros; ring |].
  eapply is_grad_eq; [apply grad_plus; [exact H1 | apply grad_scal, H2] | intros; cbv beta; ring].
Qed.
Lemma grad_mult n L1 L2 v g1 g2 : is_grad n L1 v g1 -> is_grad n L2 v g2 ->
  is_grad n (fun u => L1 u * L2 u) v (fun j => g1 j * L2 v + L1 v * g2 j).
Proof.
  intros H1 H2 c s c' Hc. destruct (H1 c s c' Hc) as [E1 D1], (H2 c s c' Hc) as [E2 D2].
  split; [rewrite E1, E2; auto |].
  eapply d_eq; [apply d_mult; eassumption |]. cbv beta; rewrite E1, E2.
  rewrite <- Sum_scal_l, <- Sum_scal_r, <- Sum_plus. apply Sum_ext; intros; ring.
Qed.
Lemma grad_comp n L v g f f' : is_grad n L v g -> is_derive f (L v) f' ->
  is_grad n (fun u => f (L u)) v (fun j => f' * g j).
Proof.
  intros H Hf c s c' Hc. destruct (H c s c' Hc) as [E D]. split; [rewrite E; auto |].
  eapply d_eq; [apply d_comp with (f := f); [rewrite E; exact Hf | exact D] |].
  rewrite <- Sum_scal_l. apply Sum_ext; intros; ring.
Qed.
Lemma grad_Sum n m (L : nat -> (nat -> R) -> R) v (g : nat -> nat -> R) :
  (forall i, (i < m)%nat -> is_grad n (L i) v (g i)) ->
  is_grad n (fun u => Sum m (fun i => L i u)) v (fun j => Sum m (fun i => g i j)).
Proof.
  intros H. induction m; simpl. { apply grad_const. }
  apply grad_plus; [apply IHm; auto | apply H; auto].
Qed.

(** * The equations of backpropagation, for layers of symbolic sizes

    A dense layer is z_i = sum_j W_ij a_j + b_i, an activation layer a_i = f(z_i). L is everything that comes after,
    down to the loss, as a function of one vector; delta is its gradient there. *)

From Coq Require Import Reals Psatz Arith Lia.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Sums Gradients.
Open Scope R_scope.

Definition affine (n : nat) (W : nat -> nat -> R) (b : nat -> R) (a : nat -> R) : nat -> R :=
  fun i => Sum n (fun j => W i j * a j) + b i.

(** The Jacobian matrix of a dense layer, in its input, is W. *)
Lemma affine_jac m n W b v : is_jac m n (affine n W b) v W.
Proof.
  intros i Hi c s c' Hc. unfold affine. split.
  - f_equal. apply Sum_ext; intros j Hj. f_equal. apply Hc, Hj.
  - eapply d_eq.
    + apply d_plus; [| apply d_const].
      apply d_Sum with (f := fun t j => W i j * c t j). intros j Hj.
      apply d_scal. apply Hc, Hj.
    + cbv beta. ring.
Qed.

(** The Jacobian matrix of an activation layer is diagonal. *)
Lemma map_jac n (f : R -> R) (f' : R -> R) v :
  (forall i, (i < n)%nat -> is_derive f (v i) (f' (v i))) ->
  is_jac n n (fun u i => f (u i)) v (fun i j => f' (v i) * kron j i).
Proof.
  intros Hf i Hi c s c' Hc. destruct (Hc i Hi) as [E D]. split; [rewrite E; auto |].
  eapply d_eq.
  - apply d_comp with (f := f); [| exact D]. rewrite E. apply Hf, Hi.
  - cbv beta. rewrite (Sum_ext n _ (fun j => (f' (v i) * c' j) * kron j i)) by (intros; ring).
    rewrite (Sum_kron n i (fun j => f' (v i) * c' j)); auto.
Qed.

(** Through the weights: delta -> W^T delta. *)
Theorem bp_activation m n L W b a delta :
  is_grad m L (affine n W b a) delta ->
  is_grad n (fun u => L (affine n W b u)) a (fun j => Sum m (fun i => delta i * W i j)).
Proof. intros H. apply backprop_step with (F := affine n W b); auto. apply affine_jac. Qed.

(** Through the activation: g -> g * f'(z), entry by entry. *)
Theorem bp_map n L f f' z g :
  is_grad n L (fun j => f (z j)) g ->
  (forall i, (i < n)%nat -> is_derive f (z i) (f' (z i))) ->
  is_grad n (fun u => L (fun j => f (u j))) z (fun j => g j * f' (z j)).
Proof.
  intros H Hf. eapply is_grad_eq.
  - apply backprop_step with (F := fun u j => f (u j)); [exact H | apply map_jac with (f' := f'), Hf].
  - intros j Hj; cbv beta.
    rewrite (Sum_ext n _ (fun i => g i * f' (z i) * kron i j)).
    + apply (Sum_kron n j (fun i => g i * f' (z i))); auto.
    + intros. rewrite kron_sym; ring.
Qed.

(** The recursion: delta(l) = W(l+1)^T delta(l+1) * f'(z(l)). *)
Theorem bp_hidden m n L W b f f' z delta :
  is_grad m L (affine n W b (fun j => f (z j))) delta ->
  (forall j, (j < n)%nat -> is_derive f (z j) (f' (z j))) ->
  is_grad n (fun u => L (affine n W b (fun j => f (u j)))) z
    (fun j => Sum m (fun i => delta i * W i j) * f' (z j)).
Proof. intros H Hf. apply (bp_map n (fun a => L (affine n W b a))); auto. apply bp_activation, H. Qed.

(** dL/dW_ij = delta_i a_j. *)
Theorem bp_weight m n L W b a delta i j :
  (i < m)%nat -> (j < n)%nat ->
  is_grad m L (affine n W b a) delta ->
  is_derive (fun t => L (affine n (updM W i j t) b a)) (W i j) (delta i * a j).
Proof.
  intros Hi Hj H. eapply d_eq.
  - apply param_step with (1 := H) (dz := fun r => a j * kron r i). intros r Hr. unfold affine. split.
    + f_equal. apply Sum_ext; intros q Hq. rewrite updM_self; auto.
    + eapply d_eq.
      * apply d_plus; [| apply d_const].
        apply d_Sum with (f := fun t q => updM W i j t r q * a q). intros q Hq.
        apply d_scal_r. apply d_updM.
      * cbv beta. rewrite (Sum_ext n _ (fun q => (kron r i * a q) * kron q j)) by (intros; ring).
        rewrite (Sum_kron n j (fun q => kron r i * a q)); auto. ring.
  - rewrite (Sum_ext m _ (fun r => delta r * a j * kron r i)) by (intros; ring).
    apply (Sum_kron m i (fun r => delta r * a j)); auto.
Qed.

(** dL/db_i = delta_i. *)
Theorem bp_bias m n L W b a delta i :
  (i < m)%nat ->
  is_grad m L (affine n W b a) delta ->
  is_derive (fun t => L (affine n W (upd b i t) a)) (b i) (delta i).
Proof.
  intros Hi H. eapply d_eq.
  - apply param_step with (1 := H) (dz := fun r => kron r i). intros r Hr. unfold affine. split.
    + f_equal. apply upd_self.
    + eapply d_eq; [apply d_plus; [apply d_const | apply d_upd] | ring].
  - apply Sum_kron, Hi.
Qed.

(** The same where weights are stored by rows: V j i is the weight from unit j to unit i, and dL/dV_ji = a_j delta_i. *)
Theorem bp_weight_rows m n L V b a delta i j :
  (i < m)%nat -> (j < n)%nat ->
  is_grad m L (affine n (fun r q => V q r) b a) delta ->
  is_derive (fun t => L (affine n (fun r q => updM V j i t q r) b a)) (V j i) (a j * delta i).
Proof.
  intros Hi Hj H. eapply d_eq.
  - apply param_step with (1 := H) (dz := fun r => a j * kron r i). intros r Hr. unfold affine. split.
    + f_equal. apply Sum_ext; intros q Hq. rewrite updM_self; auto.
    + eapply d_eq.
      * apply d_plus; [| apply d_const].
        apply d_Sum with (f := fun t q => updM V j i t q r * a q). intros q Hq.
        apply d_scal_r. apply d_updM.
      * cbv beta. rewrite (Sum_ext n _ (fun q => (kron r i * a q) * kron q j)) by (intros; ring).
        rewrite (Sum_kron n j (fun q => kron r i * a q)); auto. ring.
  - rewrite (Sum_ext m _ (fun r => delta r * a j * kron r i)) by (intros; ring).
    rewrite (Sum_kron m i (fun r => delta r * a j)) by assumption. ring.
Qed.

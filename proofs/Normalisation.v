(** * Mean, root mean square, RMS norm and layer norm over n entries *)

From Coq Require Import Reals Psatz Arith Lia.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Functions Scalars Sums Gradients.
Open Scope R_scope.

Definition mean (n : nat) (x : nat -> R) : R := Sum n x / INR n.
Definition centre (n : nat) (x : nat -> R) : nat -> R := fun i => x i - mean n x.
Definition rms (n : nat) (eps : R) (x : nat -> R) : R := sqrt (Sum n (fun i => x i ^ 2) / INR n + eps).
Definition rmsnorm (n : nat) (eps : R) (x : nat -> R) : nat -> R := fun i => x i / rms n eps x.
Definition layernorm (n : nat) (eps : R) (x : nat -> R) : nat -> R := rmsnorm n eps (centre n x).

Lemma mean_grad n x : is_grad n (mean n) x (fun _ => / INR n).
Proof.
  apply is_grad_ext with (fun u => / INR n * Sum n (fun i => u i)).
  { intros; unfold mean, Rdiv. apply Rmult_comm. }
  eapply is_grad_eq.
  - apply grad_scal, (sum_grad n (fun _ t => t) (fun _ => 1)). intros; apply d_id.
  - intros; cbv beta; ring.
Qed.
Lemma centre_jac n x : is_jac n n (centre n) x (fun i j => kron j i - / INR n).
Proof. intros i Hi. apply grad_minus; [apply coord_grad, Hi | apply mean_grad]. Qed.
Lemma Sum_centre n x : (0 < n)%nat -> Sum n (centre n x) = 0.
Proof.
  intros Hn; unfold centre. rewrite Sum_minus, Sum_const. unfold mean.
  generalize (INR_pos n Hn); intros. field; lra.
Qed.

(** eps > 0 keeps the root away from 0, also for a vector of zeros. *)
Lemma rms_arg_pos n eps x : (0 < n)%nat -> 0 < eps -> 0 < Sum n (fun i => x i ^ 2) / INR n + eps.
Proof.
  intros Hn He. apply Rplus_le_lt_0_compat; auto.
  apply Rmult_le_pos; [apply Sum_nonneg; intros; apply pow2_ge_0 |].
  left; apply Rinv_0_lt_compat, INR_pos, Hn.
Qed.
Lemma rms_pos n eps x : (0 < n)%nat -> 0 < eps -> 0 < rms n eps x.
Proof. intros; apply sqrt_lt_R0, rms_arg_pos; auto. Qed.
Lemma rms_grad n eps x : (0 < n)%nat -> 0 < eps -> is_grad n (rms n eps) x (fun j => x j / (INR n * rms n eps x)).
Proof.
  intros Hn He. generalize (rms_arg_pos n eps x Hn He) (rms_pos n eps x Hn He) (INR_pos n Hn); intros HA HP HI.
  eapply is_grad_eq.
  - apply (grad_comp n (fun u => Sum n (fun i => u i ^ 2) / INR n + eps) x (fun j => 2 * x j / INR n) sqrt).
    + apply is_grad_ext with (fun u => / INR n * Sum n (fun i => u i ^ 2) + eps).
      { intros; unfold Rdiv; ring. }
      eapply is_grad_eq.
      * apply grad_plus; [| apply grad_const].
        apply grad_scal, (sum_grad n (fun _ t => t ^ 2) (fun i => 2 * x i)).
        intros; bp_derive.
      * intros; cbv beta; field; lra.
    + instantiate (1 := / (2 * rms n eps x)). unfold rms. bp_derive.
  - intros; cbv beta; field; lra.
Qed.
Lemma rmsnorm_jac n eps x : (0 < n)%nat -> 0 < eps ->
  is_jac n n (rmsnorm n eps) x
    (fun i j => (kron j i - rmsnorm n eps x i * rmsnorm n eps x j / INR n) / rms n eps x).
Proof.
  intros Hn He i Hi. generalize (rms_pos n eps x Hn He) (INR_pos n Hn); intros HP HI.
  eapply is_grad_eq.
  - apply grad_mult with (L1 := fun u => u i) (L2 := fun u => / rms n eps u).
    + apply coord_grad, Hi.
    + apply grad_comp with (f := Rinv) (f' := - / (rms n eps x) ^ 2); [apply rms_grad; auto |].
      auto_derive; [lra | field; lra].
  - intros; unfold rmsnorm; cbv beta; field; lra.
Qed.

(** ** The backward passes, whatever comes after *)

Theorem bp_centre n L x g : (0 < n)%nat ->
  is_grad n L (centre n x) g -> is_grad n (fun u => L (centre n u)) x (fun j => g j - mean n g).
Proof.
  intros Hn H. eapply is_grad_eq.
  - apply backprop_step; [exact H | apply centre_jac].
  - intros j Hj; cbv beta. unfold mean.
    rewrite (Sum_ext n _ (fun i => g i * kron j i - / INR n * g i)) by (intros; ring).
    rewrite Sum_minus, Sum_scal_l, Sum_kron' by auto. unfold Rdiv; ring.
Qed.

Theorem bp_rmsnorm n eps L x g : (0 < n)%nat -> 0 < eps ->
  is_grad n L (rmsnorm n eps x) g ->
  is_grad n (fun u => L (rmsnorm n eps u)) x
    (fun j => (g j - rmsnorm n eps x j * mean n (fun i => g i * rmsnorm n eps x i)) / rms n eps x).
Proof.
  intros Hn He H. generalize (rms_pos n eps x Hn He) (INR_pos n Hn); intros HP HI.
  eapply is_grad_eq.
  - apply backprop_step; [exact H | apply rmsnorm_jac; auto].
  - intros j Hj; cbv beta. unfold mean.
    rewrite (Sum_ext n _ (fun i => / rms n eps x * (g i * kron j i) -
       rmsnorm n eps x j / (INR n * rms n eps x) * (g i * rmsnorm n eps x i))) by (intros; field; lra).
    rewrite Sum_minus, !Sum_scal_l, Sum_kron' by auto. field; lra.
Qed.

(** Layer norm with h for its output: (g - mean g - h mean(g h)) / s. Two means are subtracted, since the mean and the
    root mean square both depend on every entry. *)
Theorem bp_layernorm n eps L x g : (0 < n)%nat -> 0 < eps ->
  let h := layernorm n eps x in
  is_grad n L h g ->
  is_grad n (fun u => L (layernorm n eps u)) x
    (fun j => (g j - mean n g - h j * mean n (fun i => g i * h i)) / rms n eps (centre n x)).
Proof.
  intros Hn He h H. generalize (rms_pos n eps (centre n x) Hn He) (INR_pos n Hn); intros HP HI.
  eapply is_grad_eq.
  - apply (bp_centre n (fun v => L (rmsnorm n eps v)) x); auto.
    apply bp_rmsnorm; auto. exact H.
  - intros j Hj; cbv beta. fold (layernorm n eps x). fold h.
    set (m := mean n (fun i => g i * h i)). set (r := rms n eps (centre n x)).
    assert (Hr : r <> 0) by (unfold r; lra). assert (Hn' : INR n <> 0) by lra.
    assert (M : mean n (fun j0 => (g j0 - h j0 * m) / r) = mean n g / r).
    { unfold mean. rewrite (Sum_ext n _ (fun i => / r * g i - m / r * h i)).
      - rewrite Sum_minus, !Sum_scal_l.
        replace (Sum n h) with 0. { field. auto. }
        symmetry. unfold h, layernorm, rmsnorm, Rdiv. rewrite Sum_scal_r, Sum_centre; auto; ring.
      - intros; field. auto. }
    rewrite M. field. auto.
Qed.

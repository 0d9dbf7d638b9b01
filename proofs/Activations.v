(** * The slope of every activation of the catalogue

    Each lemma is followed by an instance for [auto_derive], which then differentiates compositions such as
    [softplus (w * tanh (v * x))] without opening the functions. *)

From Coq Require Import Reals Psatz.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Functions Scalars.
Open Scope R_scope.

(** The indicator is flat off its jump. *)
Lemma is_derive_step u : u <> 0 -> is_derive step u 0.
Proof.
  intros H. destruct (Rlt_dec 0 u).
  - apply d_right_piece with (g := fun _ => 1) (c := 0); auto using step_pos, d_const.
  - apply d_left_piece with (g := fun _ => 0) (c := 0); [lra | intros; apply step_neg; lra | apply d_const].
Qed.
Global Instance UnaryDiff_step : UnaryDiff' step.
Proof. exists (fun _ => 0) (fun u => u <> 0). exact is_derive_step. Defined.

(** So the slope of |u| is the sign of u. *)
Lemma is_derive_Rabs_step u : u <> 0 -> is_derive Rabs u (2 * step u - 1).
Proof.
  intros H. apply is_derive_ext with (fun u => u * (2 * step u - 1)).
  { intros; symmetry; apply Rabs_step. }
  bp_derive.
Qed.
Global Instance UnaryDiff_Rabs_step : UnaryDiff' Rabs.
Proof. exists (fun u => 2 * step u - 1) (fun u => u <> 0). exact is_derive_Rabs_step. Defined.

(** ** Smooth activations *)

Lemma is_derive_sigmoid z : is_derive sigmoid z (sigmoid z * (1 - sigmoid z)).
Proof. unfold sigmoid. bp_derive. Qed.
Global Instance UnaryDiff_sigmoid : UnaryDiff sigmoid.
Proof. exists (fun z => sigmoid z * (1 - sigmoid z)). exact is_derive_sigmoid. Defined.

Lemma is_derive_softplus z : is_derive softplus z (sigmoid z).
Proof. unfold softplus. rewrite sigmoid_alt. bp_derive. Qed.
Global Instance UnaryDiff_softplus : UnaryDiff softplus.
Proof. exists sigmoid. exact is_derive_softplus. Defined.

Lemma is_derive_tanh z : is_derive tanh z (1 - tanh z ^ 2).
Proof. unfold tanh, sinh, cosh. bp_derive. Qed.
Global Instance UnaryDiff_tanh : UnaryDiff tanh.
Proof. exists (fun z => 1 - tanh z ^ 2). exact is_derive_tanh. Defined.

Lemma is_derive_silu z : is_derive silu z (sigmoid z + z * (sigmoid z * (1 - sigmoid z))).
Proof. unfold silu. bp_derive. Qed.
Global Instance UnaryDiff_silu : UnaryDiff silu.
Proof. exists (fun z => sigmoid z + z * (sigmoid z * (1 - sigmoid z))). exact is_derive_silu. Defined.

Lemma is_derive_mish z :
  is_derive mish z (tanh (softplus z) + z * (1 - tanh (softplus z) ^ 2) * sigmoid z).
Proof. unfold mish. bp_derive. Qed.

Lemma is_derive_arctan z : is_derive atan z (/ (1 + z ^ 2)).
Proof. auto_derive; [exact I | field; bp_side]. Qed.

Lemma is_derive_exp_activation z : is_derive exp z (exp z).
Proof. apply is_derive_exp. Qed.

Lemma is_derive_identity z : is_derive (fun z => z) z 1.
Proof. apply d_id. Qed.

(** ** The error function: the derivative of an integral in its upper limit is the integrand *)

Lemma continuous_gauss t : continuous (fun t => exp (- t ^ 2)) t.
Proof. apply (ex_derive_continuous (K := R_AbsRing) (V := R_NormedModule)). auto_derive. exact I. Qed.

Lemma is_derive_erf x : is_derive erf x (2 / sqrt PI * exp (- x ^ 2)).
Proof.
  unfold erf. apply is_derive_scal. apply (is_derive_RInt (fun t => exp (- t ^ 2)) _ 0 x).
  - exists (mkposreal 1 Rlt_0_1). intros y _. apply (RInt_correct (V := R_CompleteNormedModule)).
    apply (ex_RInt_continuous (V := R_CompleteNormedModule)). intros; apply continuous_gauss.
  - apply continuous_gauss.
Qed.
Global Instance UnaryDiff_erf : UnaryDiff erf.
Proof. exists (fun x => 2 / sqrt PI * exp (- x ^ 2)). exact is_derive_erf. Defined.

Lemma is_derive_Phi x : is_derive Phi x (phi x).
Proof.
  unfold Phi, phi. auto_derive; [exact I |].
  assert (H2 := sqrt_lt_R0 2 ltac:(lra)). assert (HP := sqrt_lt_R0 PI PI_RGT_0).
  assert (S2 := sqrt_sqrt 2 ltac:(lra)).
  rewrite sqrt_mult by (generalize PI_RGT_0; lra).
  replace (- (x * / sqrt 2 * (x * / sqrt 2 * 1))) with (- x ^ 2 / 2).
  - field; lra.
  - replace (x * / sqrt 2 * (x * / sqrt 2 * 1)) with (x ^ 2 / (sqrt 2 * sqrt 2)) by (field; lra). rewrite S2. field.
Qed.
Global Instance UnaryDiff_Phi : UnaryDiff Phi.
Proof. exists phi. exact is_derive_Phi. Defined.

Lemma is_derive_gelu x : is_derive gelu x (Phi x + x * phi x).
Proof. unfold gelu. bp_derive. Qed.

Lemma is_derive_gelu_tanh c k x :
  let t := tanh (c * (x + k * x ^ 3)) in
  is_derive (gelu_tanh c k) x ((1 + t) / 2 + x / 2 * (1 - t ^ 2) * (c * (1 + 3 * k * x ^ 2))).
Proof. intros t. unfold t, gelu_tanh. bp_derive. Qed.

(** ** Activations with a kink: the slope off the kink *)

Lemma is_derive_relu z : z <> 0 -> is_derive relu z (step z).
Proof. intros. unfold relu. bp_derive. Qed.
Global Instance UnaryDiff_relu : UnaryDiff' relu.
Proof. exists step (fun z => z <> 0). exact is_derive_relu. Defined.

(** At its kink ReLU has no derivative at all: the slopes from the left and from the right differ. *)
Lemma relu_kink l : ~ is_derive relu 0 l.
Proof.
  intros H. apply is_derive_Reals in H. destruct (H (1 / 2) ltac:(lra)) as [d D].
  assert (P := cond_pos d).
  assert (A : forall h, h <> 0 -> Rabs h < d -> Rabs ((relu (0 + h) - relu 0) / h - l) < 1 / 2) by (intros; apply D; auto).
  assert (R := A (d / 2) ltac:(lra) ltac:(rewrite Rabs_pos_eq; lra)).
  assert (L := A (- (d / 2)) ltac:(lra) ltac:(rewrite Rabs_left; lra)).
  unfold relu in *. rewrite (step_pos (0 + d / 2)) in R by lra. rewrite (step_neg (0 + - (d / 2))) in L by lra.
  rewrite (step_neg 0) in * by lra.
  replace (((0 + d / 2) * 1 - 0 * 0) / (d / 2) - l) with (1 - l) in R by (field; lra).
  replace (((0 + - (d / 2)) * 0 - 0 * 0) / - (d / 2) - l) with (- l) in L by (field; lra).
  apply Rabs_def2 in R. apply Rabs_def2 in L. lra.
Qed.

Lemma is_derive_leaky_relu alpha z : z <> 0 -> is_derive (leaky_relu alpha) z (step z + alpha * (1 - step z)).
Proof. intros. unfold leaky_relu. bp_derive. Qed.

Lemma is_derive_elu alpha z : z <> 0 -> is_derive (elu alpha) z (step z + alpha * exp z * (1 - step z)).
Proof. intros. unfold elu. bp_derive. Qed.

(** With alpha = 1 the two pieces of ELU meet with the same slope, so that it is differentiable everywhere. *)
Lemma is_derive_elu_1 z : is_derive (elu 1) z (step z + exp z * (1 - step z)).
Proof.
  destruct (Req_dec z 0) as [-> | N].
  - rewrite step_neg by lra. replace (0 + exp 0 * (1 - 0)) with 1 by (rewrite exp_0; ring).
    apply d_glue with (f := fun t => t) (g := fun t => exp t - 1).
    + apply d_id.
    + auto_derive; [exact I | rewrite exp_0; ring].
    + intros t. unfold elu. destruct (step_cases t) as [[H ->] | [H ->]]; [left | right]; ring.
    + unfold elu. rewrite step_neg, exp_0 by lra. ring.
    + rewrite exp_0. ring.
  - eapply d_eq; [apply is_derive_elu, N | ring].
Qed.

Lemma is_derive_selu lambda alpha z :
  z <> 0 -> is_derive (selu lambda alpha) z (lambda * (step z + alpha * exp z * (1 - step z))).
Proof. intros. unfold selu. apply d_scal with (f := elu alpha). apply is_derive_elu. assumption. Qed.

Lemma is_derive_hard_tanh z :
  z + 1 <> 0 -> z - 1 <> 0 -> is_derive hard_tanh z (step (z + 1) - step (z - 1)).
Proof. intros. unfold hard_tanh. bp_derive. Qed.

(** Softsign looks kinked, having |z| in it, but it is smooth enough: its slope at 0 is 1. *)
Lemma is_derive_softsign z : is_derive softsign z (/ (1 + Rabs z) ^ 2).
Proof.
  assert (P : forall t, 0 <= t -> is_derive (fun t => t / (1 + t)) t (/ (1 + t) ^ 2)) by (intros; auto_derive; [lra | field; lra]).
  assert (N : forall t, t <= 0 -> is_derive (fun t => t / (1 - t)) t (/ (1 - t) ^ 2)) by (intros; auto_derive; [lra | field; lra]).
  destruct (Rtotal_order z 0) as [H | [-> | H]].
  - rewrite Rabs_left by lra. replace (1 + - z) with (1 - z) by ring.
    apply d_left_piece with (g := fun t => t / (1 - t)) (c := 0); [lra | | apply N; lra].
    intros t Ht. unfold softsign. rewrite Rabs_left by lra. f_equal; ring.
  - rewrite Rabs_R0. apply d_glue with (f := fun t => t / (1 + t)) (g := fun t => t / (1 - t)).
    + apply P; lra.
    + eapply d_eq; [apply N; lra | field].
    + intros t. unfold softsign. destruct (Rle_dec 0 t).
      * left. rewrite Rabs_pos_eq by lra. reflexivity.
      * right. rewrite Rabs_left by lra. f_equal; ring.
    + unfold softsign. rewrite Rabs_R0. reflexivity.
    + field.
  - rewrite Rabs_pos_eq by lra.
    apply d_right_piece with (g := fun t => t / (1 + t)) (c := 0); [lra | | apply P; lra].
    intros t Ht. unfold softsign. rewrite Rabs_pos_eq by lra. reflexivity.
Qed.

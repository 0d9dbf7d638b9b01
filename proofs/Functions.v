(** * The elementary functions of networks: definitions, bounds, values

    Everything is made from [exp], [ln], [sqrt], [atan], [sin], [cos], the error function and the indicator [step].
    Slopes come in Activations.v and Losses.v. *)

From Coq Require Import Reals Psatz.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules.
Open Scope R_scope.

(** ** The indicator [u > 0], from which every function with a kink is made *)

Definition step (u : R) : R := if Rlt_dec 0 u then 1 else 0.

Lemma step_pos u : 0 < u -> step u = 1.
Proof. intros; unfold step; destruct (Rlt_dec 0 u); lra. Qed.
Lemma step_neg u : u <= 0 -> step u = 0.
Proof. intros; unfold step; destruct (Rlt_dec 0 u); lra. Qed.
Lemma step_cases u : (0 < u /\ step u = 1) \/ (u <= 0 /\ step u = 0).
Proof. destruct (Rlt_dec 0 u); [left | right]; split; auto using step_pos; try apply step_neg; lra. Qed.

(** |u| = u (2 [u > 0] - 1), also at 0. *)
Lemma Rabs_step u : Rabs u = u * (2 * step u - 1).
Proof.
  destruct (step_cases u) as [[H ->] | [H ->]]; [rewrite Rabs_pos_eq | rewrite Rabs_left1]; lra.
Qed.

(** ** Activations *)

Definition sigmoid (z : R) : R := / (1 + exp (- z)).
Definition softplus (z : R) : R := ln (1 + exp z).
Definition silu (z : R) : R := z * sigmoid z.
Definition mish (z : R) : R := z * tanh (softplus z).
Definition softsign (z : R) : R := z / (1 + Rabs z).
Definition relu (z : R) : R := z * step z.
Definition leaky_relu (alpha z : R) : R := z * step z + alpha * z * (1 - step z).
Definition elu (alpha z : R) : R := z * step z + alpha * (exp z - 1) * (1 - step z).
Definition selu (lambda alpha z : R) : R := lambda * elu alpha z.
Definition hard_tanh (z : R) : R := relu (z + 1) - relu (z - 1) - 1.

(** The error function is an integral; Phi is the normal distribution function, phi its density. *)
Definition erf (x : R) : R := 2 / sqrt PI * RInt (fun t => exp (- t ^ 2)) 0 x.
Definition Phi (x : R) : R := / 2 * (1 + erf (x / sqrt 2)).
Definition phi (x : R) : R := exp (- x ^ 2 / 2) / sqrt (2 * PI).
Definition gelu (x : R) : R := x * Phi x.
(** The usual approximation of gelu, with c = sqrt (2/pi) and k = 0.044715. *)
Definition gelu_tanh (c k x : R) : R := x / 2 * (1 + tanh (c * (x + k * x ^ 3))).

Lemma relu_max z : relu z = Rmax 0 z.
Proof.
  unfold relu; destruct (step_cases z) as [[H ->] | [H ->]]; [rewrite Rmax_right | rewrite Rmax_left]; lra.
Qed.
Lemma hard_tanh_clip z : hard_tanh z = Rmax (-1) (Rmin 1 z).
Proof.
  unfold hard_tanh, relu, Rmax, Rmin.
  destruct (step_cases (z + 1)) as [[H ->] | [H ->]], (step_cases (z - 1)) as [[K ->] | [K ->]],
    (Rle_dec 1 z); destruct (Rle_dec (-1) _); lra.
Qed.

(** ** Bounds, from which side conditions are proved *)

Lemma one_plus_exp_pos z : 0 < 1 + exp z.
Proof. generalize (exp_pos z); lra. Qed.
Lemma one_minus_exp_neg_pos u : 0 < u -> 0 < 1 - exp (- u).
Proof. intros H. assert (exp (- u) < exp 0) by (apply exp_increasing; lra). rewrite exp_0 in *; lra. Qed.
Lemma cosh_pos z : 0 < cosh z.
Proof. unfold cosh; generalize (exp_pos z) (exp_pos (- z)); lra. Qed.

Lemma sigmoid_pos z : 0 < sigmoid z.
Proof. apply Rinv_0_lt_compat, one_plus_exp_pos. Qed.
Lemma sigmoid_alt z : sigmoid z = exp z / (1 + exp z).
Proof. unfold sigmoid. rewrite exp_Ropp. generalize (exp_pos z); intros. field. split; lra. Qed.
Lemma one_minus_sigmoid z : 1 - sigmoid z = / (1 + exp z).
Proof. rewrite sigmoid_alt. generalize (exp_pos z); intros. field; lra. Qed.
Lemma one_minus_sigmoid_pos z : 0 < 1 - sigmoid z.
Proof. rewrite one_minus_sigmoid. apply Rinv_0_lt_compat, one_plus_exp_pos. Qed.
Lemma sigmoid_bounds z : 0 < sigmoid z < 1.
Proof. generalize (sigmoid_pos z) (one_minus_sigmoid_pos z); lra. Qed.
(** 1 - sigma(z) = sigma(-z): the form that keeps every digit in floating point. *)
Lemma sigmoid_opp z : sigmoid (- z) = 1 - sigmoid z.
Proof. rewrite one_minus_sigmoid; unfold sigmoid; rewrite Ropp_involutive; reflexivity. Qed.

Lemma softplus_pos z : 0 < softplus z.
Proof. unfold softplus. rewrite <- ln_1. apply ln_increasing; generalize (exp_pos z); lra. Qed.
Lemma tanh_sigmoid z : tanh z = 2 * sigmoid (2 * z) - 1.
Proof.
  unfold tanh, sinh, cosh, sigmoid. replace (- (2 * z)) with (- z + - z) by ring.
  rewrite exp_plus, exp_Ropp. generalize (exp_pos z); intros. field. repeat split; nra.
Qed.
Lemma tanh_exp z : tanh z = 1 - 2 / (1 + exp (2 * z)).
Proof.
  rewrite tanh_sigmoid, sigmoid_alt. generalize (exp_pos (2 * z)); intros. field. lra.
Qed.
Lemma tanh_bounds z : -1 < tanh z < 1.
Proof. rewrite tanh_sigmoid. generalize (sigmoid_bounds (2 * z)); lra. Qed.

(** ** Values at the logarithm of a number, where exponentials become rational: points for refutations *)

Lemma sigmoid_ln q : 0 < q -> sigmoid (ln q) = q / (1 + q).
Proof. intros; rewrite sigmoid_alt, exp_ln; auto. Qed.
Lemma tanh_ln q : 0 < q -> tanh (ln q) = (q ^ 2 - 1) / (q ^ 2 + 1).
Proof. intros; unfold tanh, sinh, cosh. rewrite exp_Ropp, exp_ln by auto. field. split; nra. Qed.

(** * How a wrong slope is refuted

    A derivative has one value only. So a claimed slope is wrong as soon as, at one point, it differs from a slope that
    is proved. At z = ln q with q rational, exponentials are rational (exp z = q, sigmoid z = q / (1 + q)), so that the
    two numbers are compared exactly: no floating point is involved, and no axiom beyond those of the real numbers. *)

From Coq Require Import Reals Psatz Arith Lia.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Functions Scalars Activations Losses Sums Gradients Softmax.
Open Scope R_scope.

Lemma refute (f : R -> R) (x a b : R) : is_derive f x a -> a <> b -> ~ is_derive f x b.
Proof. intros Ha N Hb. apply N. apply (d_unique f x a b Ha Hb). Qed.

Lemma erf_0 : erf 0 = 0.
Proof. unfold erf. rewrite RInt_point. unfold zero; simpl. ring. Qed.
Lemma Phi_0 : Phi 0 = 1 / 2.
Proof. unfold Phi. replace (0 / sqrt 2) with 0 by (field; apply Rgt_not_eq, sqrt_lt_R0; lra). rewrite erf_0. field. Qed.
Lemma sigmoid_0 : sigmoid 0 = 1 / 2.
Proof. unfold sigmoid. rewrite Ropp_0, exp_0. field. Qed.
Lemma tanh_0 : tanh 0 = 0.
Proof. rewrite tanh_sigmoid. replace (2 * 0) with 0 by ring. rewrite sigmoid_0. field. Qed.
Lemma tanh_opp z : tanh (- z) = - tanh z.
Proof. unfold tanh, sinh, cosh. rewrite Ropp_involutive. generalize (exp_pos z) (exp_pos (- z)); intros. field. lra. Qed.
Lemma softplus_0 : softplus 0 = ln 2.
Proof. unfold softplus. rewrite exp_0. f_equal; ring. Qed.
Lemma softplus_ln q : 0 < q -> softplus (ln q) = ln (1 + q).
Proof. intros; unfold softplus; rewrite exp_ln; auto. Qed.
Lemma exp_ln_opp q : 0 < q -> exp (- ln q) = / q.
Proof. intros; rewrite exp_Ropp, exp_ln; auto. Qed.

(** Values of functions at points with rational exponentials. *)
Ltac bp_eval :=
  repeat first
  [ rewrite Rminus_0_r | rewrite Rminus_0_l | rewrite tanh_opp | rewrite sigmoid_opp | rewrite sigmoid_ln by lra | rewrite tanh_ln by lra | rewrite exp_ln_opp by lra | rewrite exp_ln by lra
  | rewrite exp_Ropp | rewrite exp_0 | rewrite Phi_0 | rewrite sigmoid_0 | rewrite tanh_0 | rewrite softplus_0 | rewrite ln_1 | rewrite Ropp_0 | rewrite erf_0 | rewrite sqrt_1 | rewrite sqrt_0
  | match goal with
    | |- context [step ?u] => first [ rewrite (step_pos u) by lra | rewrite (step_neg u) by lra ]
    end ].

(** What is known of a number that stays: on which side of its value at 0 it lies. *)
Lemma exp_right u : 0 < u -> 1 + u < exp u.
Proof. intros. apply exp_ineq1. lra. Qed.
Lemma exp_left u : u < 0 -> 1 + u < exp u < 1.
Proof. intros. split; [apply exp_ineq1; lra |]. rewrite <- exp_0. apply exp_increasing; assumption. Qed.
Lemma sigmoid_right u : 0 < u -> 1 / 2 < sigmoid u < 1.
Proof.
  intros H. generalize (exp_right u H) (one_minus_sigmoid u) (sigmoid_bounds u); intros E S B. split; [| apply B].
  assert (/ (1 + exp u) < / 2) by (apply Rinv_lt_contravar; lra). lra.
Qed.
Lemma sigmoid_left u : u < 0 -> 0 < sigmoid u < 1 / 2.
Proof. intros H. generalize (sigmoid_right (- u) ltac:(lra)). rewrite sigmoid_opp. lra. Qed.
Lemma tanh_right u : 0 < u -> 0 < tanh u < 1.
Proof. intros. rewrite tanh_sigmoid. generalize (sigmoid_right (2 * u) ltac:(lra)). lra. Qed.
Lemma tanh_left u : u < 0 -> -1 < tanh u < 0.
Proof. intros. rewrite tanh_sigmoid. generalize (sigmoid_left (2 * u) ltac:(lra)). lra. Qed.

Ltac bp_sides E :=
  repeat match type of E with
  | context [sigmoid ?u] =>
      let B := fresh in
      first [ assert (B := sigmoid_right u ltac:(lra)) | assert (B := sigmoid_left u ltac:(lra)) ];
      generalize dependent (sigmoid u); intros
  | context [tanh ?u] =>
      let B := fresh in
      first [ assert (B := tanh_right u ltac:(lra)) | assert (B := tanh_left u ltac:(lra)) ];
      generalize dependent (tanh u); intros
  | context [exp ?u] =>
      let B := fresh in
      first [ assert (B := exp_right u ltac:(lra)) | assert (B := exp_left u ltac:(lra)) ];
      generalize dependent (exp u); intros
  end.

(** A condition at a point, and [a <> b] for two numbers that are rational after evaluation. *)
Ltac bp_point := pose proof ln_lt_2; bp_open_functions; rewrite ?Rabs_step; bp_eval; repeat split; first [ lra | intro; lra | nra ].
Ltac bp_neq :=
  pose proof ln_lt_2; bp_open_functions; rewrite ?Rabs_step; bp_eval;
  let E := fresh "E" in intro E;
  first
  [ lra
  | field_simplify in E; first [ lra | nra ]
  | bp_sides E; first [ lra | nra | field_simplify in E; first [ lra | nra ] ] ].

(** ** The three classical mistakes *)

(** The asker's formula: with binary cross-entropy the slope of the sigmoid has cancelled, so (a - y) f'(z) is wrong. *)
Theorem extra_slope_is_wrong :
  ~ (forall y z, is_derive (fun z => bce (sigmoid z) y) z ((sigmoid z - y) * (sigmoid z * (1 - sigmoid z)))).
Proof.
  intros H. specialize (H 1 (ln 2)). revert H.
  apply refute with (a := sigmoid (ln 2) - 1); [apply delta_bce_sigmoid | bp_neq].
Qed.

(** It is wrong wherever the output differs from the target, not only at one point. *)
Theorem extra_slope_is_wrong_everywhere y z : sigmoid z <> y ->
  ~ is_derive (fun z => bce (sigmoid z) y) z ((sigmoid z - y) * (sigmoid z * (1 - sigmoid z))).
Proof.
  intros N. apply refute with (1 := delta_bce_sigmoid z y). intros E.
  generalize (sigmoid_bounds z); intros B.
  assert (sigmoid z * (1 - sigmoid z) = 1) by (apply Rmult_eq_reg_l with (sigmoid z - y); [rewrite <- E; ring | lra]).
  nra.
Qed.

(** A slope that is left out: squared error without f'(z). *)
Theorem missing_slope_is_wrong : ~ (forall y z, is_derive (fun z => half_mse (sigmoid z) y) z (sigmoid z - y)).
Proof.
  intros H. specialize (H 1 (ln 2)). revert H.
  apply refute with (1 := delta_half_mse_sigmoid (ln 2) 1). bp_neq.
Qed.

(** The condition sum(y) = 1, not stated: with one class and y = 2 softmax with cross-entropy has slope 0, not -1. *)
Theorem hidden_condition_is_wrong : ~ (forall n y z k, (k < n)%nat ->
  is_derive (fun t => - Sum n (fun i => y i * ln (softmax n (upd z k t) i))) (z k) (softmax n z k - y k)).
Proof.
  intros H. specialize (H 1%nat (fun _ => 2) (fun _ => 0) 0%nat (Nat.lt_0_1)). revert H.
  apply refute with (a := Sum 1 (fun _ => 2) * softmax 1 (fun _ => 0) 0 - 2).
  - apply (is_grad_partial 1 (fun u => - Sum 1 (fun i => 2 * ln (softmax 1 u i))) (fun _ => 0)
       (fun k => Sum 1 (fun _ => 2) * softmax 1 (fun _ => 0) k - 2) 0%nat Nat.lt_0_1).
    apply (softmax_ce 1 (fun _ => 2)); lia.
  - unfold softmax, sum_exp; simpl. bp_neq.
Qed.

(** * The slope of every loss of one output, in that output, and the deltas that cancel

    a is the output of the network, y the target. Losses of a whole vector (softmax with cross-entropy, KL) are in
    Softmax.v. *)

From Coq Require Import Reals Psatz.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Functions Scalars Activations.
Open Scope R_scope.

Definition mse (a y : R) : R := (a - y) ^ 2.
Definition half_mse (a y : R) : R := (a - y) ^ 2 / 2.
Definition bce (a y : R) : R := - (y * ln a) - (1 - y) * ln (1 - a).
Definition bce_with_logits (z y : R) : R := softplus z - y * z.
Definition mae (a y : R) : R := Rabs (a - y).
Definition log_cosh (a y : R) : R := ln (cosh (a - y)).
Definition hinge (a y : R) : R := relu (1 - y * a).
Definition squared_hinge (a y : R) : R := relu (1 - y * a) ^ 2.
Definition poisson (a y : R) : R := a - y * ln a.
Definition gamma (a y : R) : R := y / a + ln a.
Definition kl (a y : R) : R := y * (ln y - ln a).
Definition nll (a y : R) : R := - (y * a).
Definition focal (a : R) : R := - (1 - a) ^ 2 * ln a.
(** Quadratic inside the threshold d, straight outside. *)
Definition huber (d r : R) : R := if Rle_dec (Rabs r) d then r ^ 2 / 2 else d * (Rabs r - d / 2).

(** ** Slopes in the output *)

Lemma is_derive_mse a y : is_derive (fun a => mse a y) a (2 * (a - y)).
Proof. unfold mse. bp_derive. Qed.
Lemma is_derive_half_mse a y : is_derive (fun a => half_mse a y) a (a - y).
Proof. unfold half_mse. bp_derive. Qed.
Lemma is_derive_bce a y : 0 < a < 1 -> is_derive (fun a => bce a y) a ((a - y) / (a * (1 - a))).
Proof. intros. unfold bce. bp_derive. Qed.
Lemma is_derive_bce_with_logits z y : is_derive (fun z => bce_with_logits z y) z (sigmoid z - y).
Proof. unfold bce_with_logits. bp_derive. Qed.
Lemma is_derive_mae a y : a - y <> 0 -> is_derive (fun a => mae a y) a (2 * step (a - y) - 1).
Proof.
  intros. unfold mae. apply is_derive_ext with (fun a => (a - y) * (2 * step (a - y) - 1)).
  { intros; symmetry; apply Rabs_step. }
  bp_derive.
Qed.
Lemma is_derive_log_cosh a y : is_derive (fun a => log_cosh a y) a (tanh (a - y)).
Proof. unfold log_cosh, tanh. bp_derive. Qed.
Lemma is_derive_hinge a y : 1 - y * a <> 0 -> is_derive (fun a => hinge a y) a (- y * step (1 - y * a)).
Proof. intros. unfold hinge. bp_derive. Qed.
Lemma is_derive_poisson a y : 0 < a -> is_derive (fun a => poisson a y) a (1 - y / a).
Proof. intros. unfold poisson. bp_derive. Qed.
Lemma is_derive_gamma a y : 0 < a -> is_derive (fun a => gamma a y) a ((a - y) / a ^ 2).
Proof. intros. unfold gamma. bp_derive. Qed.
Lemma is_derive_kl a y : 0 < a -> is_derive (fun a => kl a y) a (- (y / a)).
Proof. intros. unfold kl. bp_derive. Qed.
Lemma is_derive_nll a y : is_derive (fun a => nll a y) a (- y).
Proof. unfold nll. bp_derive. Qed.
Lemma is_derive_focal a : 0 < a < 1 -> is_derive focal a (2 * (1 - a) * ln a - (1 - a) ^ 2 / a).
Proof. intros. unfold focal. bp_derive. Qed.

(** The square mends the kink of the hinge: the squared hinge is differentiable everywhere. *)
Lemma is_derive_squared_relu u : is_derive (fun u => relu u ^ 2) u (2 * relu u).
Proof.
  destruct (Req_dec u 0) as [-> | N].
  - apply d_glue with (f := fun t => t ^ 2) (g := fun _ => 0).
    + eapply d_eq; [apply d_pow, d_id | unfold relu; simpl; ring].
    + eapply d_eq; [apply d_const | unfold relu; ring].
    + intros t. unfold relu. destruct (step_cases t) as [[H ->] | [H ->]]; [left | right]; ring.
    + unfold relu; ring.
    + ring.
  - bp_derive. unfold relu. bp_cases; ring.
Qed.
Lemma is_derive_squared_hinge a y : is_derive (fun a => squared_hinge a y) a (- 2 * y * relu (1 - y * a)).
Proof.
  unfold squared_hinge. eapply d_eq.
  - apply d_comp with (f := fun u => relu u ^ 2) (g := fun a => 1 - y * a) (b := - y).
    + apply is_derive_squared_relu.
    + bp_derive.
  - ring.
Qed.

(** The Huber loss is differentiable everywhere, the thresholds included; its slope is the clipped residual. *)
Definition clip (d r : R) : R := Rmax (- d) (Rmin d r).
Lemma is_derive_huber d r : 0 < d -> is_derive (huber d) r (clip d r).
Proof.
  intros Hd.
  assert (Q : is_derive (fun r => r ^ 2 / 2) r r) by bp_derive.
  assert (P1 : is_derive (fun r => d * (r - d / 2)) r d) by bp_derive.
  assert (P2 : is_derive (fun r => d * (- r - d / 2)) r (- d)) by bp_derive.
  destruct (Rlt_dec d r) as [H1 | H1]; [| destruct (Rlt_dec r (- d)) as [H2 | H2]].
  - (* beyond the upper threshold: a straight line *)
    replace (clip d r) with d.
    2: { unfold clip. rewrite Rmin_left, Rmax_right; lra. }
    apply d_right_piece with (c := d) (3 := P1); [lra |].
    intros t Ht. unfold huber. rewrite Rabs_pos_eq by lra. destruct (Rle_dec t d); lra.
  - (* beyond the lower threshold *)
    replace (clip d r) with (- d).
    2: { unfold clip. rewrite Rmin_right, Rmax_left; lra. }
    apply d_left_piece with (c := - d) (3 := P2); [lra |].
    intros t Ht. unfold huber. rewrite Rabs_left by lra. destruct (Rle_dec (- t) d); lra.
  - assert (E : clip d r = r) by (unfold clip; rewrite Rmin_right, Rmax_right; lra).
    rewrite E.
    destruct (Req_dec r d) as [E1 | E1]; [| destruct (Req_dec r (- d)) as [E2 | E2]].
    + (* at the upper threshold: two pieces with the same value and slope *)
      subst r. apply is_derive_ext_loc with (fun r => if Rle_dec r d then r ^ 2 / 2 else d * (r - d / 2)).
      * apply filter_imp with (fun t => - d < t); [| apply open_gt; lra].
        intros t Ht. unfold huber. destruct (Rle_dec 0 t).
        -- rewrite Rabs_pos_eq by lra. destruct (Rle_dec t d); lra.
        -- rewrite Rabs_left by lra. destruct (Rle_dec (- t) d), (Rle_dec t d); lra.
      * apply d_glue with (1 := Q) (2 := P1).
        -- intros t; destruct (Rle_dec t d); auto.
        -- destruct (Rle_dec d d); lra.
        -- field.
    + (* at the lower threshold *)
      subst r. apply is_derive_ext_loc with (fun r => if Rle_dec (- d) r then r ^ 2 / 2 else d * (- r - d / 2)).
      * apply filter_imp with (fun t => t < d); [| apply open_lt; lra].
        intros t Ht. unfold huber. destruct (Rle_dec 0 t).
        -- rewrite Rabs_pos_eq by lra. destruct (Rle_dec t d), (Rle_dec (- d) t); lra.
        -- rewrite Rabs_left by lra. destruct (Rle_dec (- t) d), (Rle_dec (- d) t); lra.
      * apply d_glue with (1 := Q) (2 := P2).
        -- intros t; destruct (Rle_dec (- d) t); auto.
        -- destruct (Rle_dec (- d) (- d)); lra.
        -- field.
    + (* strictly inside: a parabola *)
      apply is_derive_ext_loc with (2 := Q).
      apply filter_imp with (fun t => - d < t /\ t < d).
      * intros t Ht. unfold huber. destruct (Rle_dec (Rabs t) d) as [| N]; [lra |].
        exfalso; apply N. apply Rabs_le; lra.
      * apply filter_and; [apply open_gt | apply open_lt]; lra.
Qed.

(** ** The two answers to the student's question

    With squared error the slope of the activation stays in delta. With binary cross-entropy behind a sigmoid it
    cancels against the denominator a (1 - a). *)

Theorem delta_half_mse_sigmoid z y :
  is_derive (fun z => half_mse (sigmoid z) y) z ((sigmoid z - y) * (sigmoid z * (1 - sigmoid z))).
Proof. apply d_comp with (f := fun a => half_mse a y); [apply is_derive_half_mse | apply is_derive_sigmoid]. Qed.

Theorem delta_bce_sigmoid z y : is_derive (fun z => bce (sigmoid z) y) z (sigmoid z - y).
Proof.
  eapply d_eq.
  - apply d_comp with (f := fun a => bce a y); [apply is_derive_bce, sigmoid_bounds | apply is_derive_sigmoid].
  - (* (a - y) / (a (1 - a)) * (a (1 - a)) = a - y *)
    generalize (sigmoid_bounds z); intros. field. lra.
Qed.

(** * Tactics that prove slopes of functions of one number

    - [bp_side] proves side conditions: something is positive, or not 0.
    - [bp_field] proves that two ways of writing a number agree: field arithmetic, exponentials brought to one form.
    - [bp_derive] proves [is_derive f x l]: Coquelicot's [auto_derive] differentiates f, then [bp_side] and [bp_field].

    A tactic only searches. What it finds is checked by Coq's kernel like any other proof, so an error in this file can
    make a proof fail, but it cannot make a false statement pass. *)

From Coq Require Import Reals Psatz.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Functions.
Open Scope R_scope.

Lemma Rmult_neq0 a b : a <> 0 -> b <> 0 -> a * b <> 0.
Proof. intros; apply Rmult_integral_contrapositive_currified; assumption. Qed.
Lemma Rdiv_neq0 a b : a <> 0 -> b <> 0 -> a / b <> 0.
Proof. intros; apply Rmult_neq0; [| apply Rinv_neq_0_compat]; assumption. Qed.
Lemma sq_plus_pos a b : 0 < b -> 0 < a ^ 2 + b.
Proof. intros; generalize (pow2_ge_0 a); lra. Qed.
Lemma plus_sq_pos a b : 0 < b -> 0 < b + a ^ 2.
Proof. intros; generalize (pow2_ge_0 a); lra. Qed.
Lemma plus_sqr_pos a b : 0 < b -> 0 < b + a * a.
Proof. intros; nra. Qed.
Lemma plus_abs_pos a b : 0 < b -> 0 < b + Rabs a.
Proof. intros; generalize (Rabs_pos a); lra. Qed.
Lemma sqr_plus_pos a b : 0 < b -> 0 < a * a + b.
Proof. intros; nra. Qed.

(** ** Case distinction at kinks: in each case the indicator is the number 0 or 1 *)

Ltac bp_cases :=
  repeat match goal with
  | |- context [step ?u] =>
      let H := fresh "Hstep" in let E := fresh "Estep" in
      destruct (step_cases u) as [[H E] | [H E]]; rewrite ?E in *
  end.
Ltac bp_abs := rewrite ?Rabs_step in *.

(** ** Positive and not 0, by the shape of the formula *)

Ltac bp_pos :=
  repeat (cbv beta; match goal with
  | |- True => exact I
  | |- _ /\ _ => split
  | H : 0 < ?a |- 0 < ?a => exact H
  | H : ?a <> 0 |- ?a <> 0 => exact H
  | |- _ => assumption
  | |- 0 < exp _ => apply exp_pos
  | |- 0 < cosh _ => apply cosh_pos
  | |- 0 < PI => apply PI_RGT_0
  | |- 0 < sigmoid _ => apply sigmoid_pos
  | |- 0 < softplus _ => apply softplus_pos
  | |- 0 < 1 - sigmoid _ => apply one_minus_sigmoid_pos
  | |- 0 < 1 + - sigmoid _ => apply one_minus_sigmoid_pos
  | |- 0 < 1 + exp _ => apply one_plus_exp_pos
  | |- 0 < 1 + - exp (- _) => apply one_minus_exp_neg_pos
  | |- 0 < 1 - exp (- _) => apply one_minus_exp_neg_pos
  | |- 0 < sqrt _ => apply sqrt_lt_R0
  | |- 0 < _ * _ => apply Rmult_lt_0_compat
  | |- 0 < _ / _ => apply Rdiv_lt_0_compat
  | |- 0 < / _ => apply Rinv_0_lt_compat
  | |- 0 < _ ^ 2 + _ => apply sq_plus_pos
  | |- 0 < _ + _ ^ 2 => apply plus_sq_pos
  | |- 0 < _ + ?a * ?a => apply plus_sqr_pos
  | |- 0 < ?a * ?a + _ => apply sqr_plus_pos
  | |- 0 < _ + Rabs _ => apply plus_abs_pos
  | |- 0 < _ + _ => apply Rplus_lt_0_compat
  | |- 0 < _ ^ _ => apply pow_lt
  | |- _ * _ <> 0 => apply Rmult_neq0
  | |- _ / _ <> 0 => apply Rdiv_neq0
  | |- / _ <> 0 => apply Rinv_neq_0_compat
  | |- _ ^ _ <> 0 => apply pow_nonzero
  | |- - _ <> 0 => apply Ropp_neq_0_compat
  | |- 0 < _ => first [ lra | fail 1 ]
  | |- _ <> 0 => first [ lra | apply Rgt_not_eq; apply Rlt_gt ]
  end).

(** ** Exponentials in one form: everything in terms of exp of atoms *)

Lemma exp_2 z : exp (2 * z) = exp z * exp z.
Proof. rewrite <- exp_plus; f_equal; ring. Qed.
Ltac bp_exp :=
  unfold Rminus in *;
  repeat first [ rewrite exp_plus | rewrite exp_2 | rewrite exp_Ropp | rewrite exp_0 | rewrite ln_exp | rewrite exp_ln by solve [bp_pos] ].

Ltac bp_frac :=
  match goal with
  | |- 0 < ?e => field_simplify e
  | |- ?e <> 0 => field_simplify e
  end.

(** What is known of the functions in the goal is put among the hypotheses. *)
Ltac bp_know :=
  repeat match goal with
  | |- context [sigmoid ?z] =>
      lazymatch goal with _ : 0 < sigmoid z < 1 |- _ => fail | _ => generalize (sigmoid_bounds z); intro end
  | |- context [tanh ?z] =>
      lazymatch goal with _ : -1 < tanh z < 1 |- _ => fail | _ => generalize (tanh_bounds z); intro end
  | |- context [exp ?z] =>
      lazymatch goal with _ : 0 < exp z |- _ => fail | _ => generalize (exp_pos z); intro end
  | |- context [softplus ?z] =>
      lazymatch goal with _ : 0 < softplus z |- _ => fail | _ => generalize (softplus_pos z); intro end
  end.

Ltac bp_know_squares :=
  repeat match goal with
  | |- context [?u ^ 2] =>
      lazymatch goal with _ : 0 <= u ^ 2 |- _ => fail | _ => generalize (pow2_ge_0 u); intro end
  end.

(** a^2 - 2 a b + b^2 is a square, also when it is written out. *)
Ltac bp_know_binomials :=
  repeat match goal with
  | |- context [2 * ?a * ?b] =>
      lazymatch goal with _ : 0 <= (a - b) ^ 2 |- _ => fail | _ => generalize (pow2_ge_0 (a - b)); intro end
  | H : 0 < ?c |- context [?c ^ 2] =>
      lazymatch goal with _ : 0 < c ^ 2 |- _ => fail | _ => generalize (pow_lt c 2 H); intro end
  end.

(** A hypothesis [e <> 0] also gives [e' <> 0] for every e' that is e written in another way, or a multiple of it. *)
Ltac bp_nonzero :=
  let E := fresh in intro E;
  match goal with
  | H : ?a <> ?b |- False =>
      apply H; first [ lra | (revert E; field_simplify; intro E; lra) | nra ]
  end.

Ltac bp_open := unfold sigmoid, tanh, sinh, cosh.
Ltac bp_split := intros; repeat match goal with |- _ /\ _ => split end.
Ltac bp_atom :=
  first
  [ exact I | assumption
  | solve [bp_know; lra]
  | solve [bp_pos]
  | solve [bp_nonzero]
  | solve [bp_exp; bp_frac; bp_pos]
  | solve [repeat rewrite sigmoid_alt; unfold tanh, sinh, cosh; bp_exp; bp_frac; bp_pos]
  | solve [bp_know; nra]
  | solve [bp_know_squares; first [lra | nra | apply Rgt_not_eq; lra | apply Rgt_not_eq; nra]]
  | solve [bp_know_binomials; first [nra | apply Rgt_not_eq; nra]]
  | solve [bp_abs; bp_cases; bp_pos]
  | solve [bp_abs; bp_cases; bp_know; nra]
  | idtac ].
Ltac bp_side := bp_split; bp_atom.

(** ** Arguments of a function that are equal as formulas are made the same formula *)

Ltac bp_unify1 f :=
  repeat match goal with
  | |- context [f ?a] =>
      match goal with
      | |- context [f ?b] =>
          lazymatch a with b => fail | _ => idtac end;
          replace (f b) with (f a) by (f_equal; first [ring | field; bp_side])
      end
  end.
Ltac bp_unify :=
  bp_unify1 exp; bp_unify1 ln; bp_unify1 sigmoid; bp_unify1 tanh; bp_unify1 sqrt; bp_unify1 softplus; bp_unify1 Phi;
  bp_unify1 phi; bp_unify1 erf; bp_unify1 cosh; bp_unify1 sinh; bp_unify1 cos; bp_unify1 sin; bp_unify1 atan;
  bp_unify1 step.

(** ** Square roots: their squares are known, and sqrt x = sqrt (c^2 x) / c *)

Lemma sqrt_scale c x y : 0 < c -> 0 <= x -> y = c ^ 2 * x -> sqrt x = / c * sqrt y.
Proof.
  intros Hc Hx ->. apply Rmult_eq_reg_l with c; [| lra]. rewrite <- Rmult_assoc, Rinv_r, Rmult_1_l by lra.
  symmetry. rewrite sqrt_mult by (auto; apply pow2_ge_0). f_equal.
  replace (c ^ 2) with (c * c) by ring. apply sqrt_square; lra.
Qed.
Lemma sqrt_2_PI : sqrt (2 * PI) = sqrt 2 * sqrt PI.
Proof. apply sqrt_mult; generalize PI_RGT_0; lra. Qed.
Lemma sqrt_2_over_PI : sqrt (2 * / PI) = sqrt 2 * / sqrt PI.
Proof. apply sqrt_div; generalize PI_RGT_0; lra. Qed.

Ltac bp_root_scale :=
  rewrite ?sqrt_2_PI, ?sqrt_2_over_PI;
  repeat match goal with
  | H : 0 < ?c |- context [sqrt ?x] =>
      lazymatch x with context [/ _] => idtac end;
      match goal with
      | |- context [sqrt ?y] =>
          lazymatch y with context [/ _] => fail | _ => idtac end;
          rewrite (sqrt_scale c x y H) by (solve [left; bp_side] || (field; bp_side))
      end
  end.
Ltac bp_root_facts :=
  repeat match goal with
  | |- context [sqrt ?x] =>
      lazymatch goal with
      | _ : sqrt x * sqrt x = x |- _ => fail
      | _ => assert (sqrt x * sqrt x = x) by (apply sqrt_sqrt; left; solve [bp_side])
      end
  end.
Ltac bp_roots :=
  bp_unify1 sqrt; bp_root_scale; bp_root_facts;
  lazymatch goal with
  | E1 : sqrt ?x * sqrt ?x = ?x, E2 : sqrt ?y * sqrt ?y = ?y, E3 : sqrt ?w * sqrt ?w = ?w |- _ =>
      field [E1 E2 E3]; bp_side
  | E1 : sqrt ?x * sqrt ?x = ?x, E2 : sqrt ?y * sqrt ?y = ?y |- _ => field [E1 E2]; bp_side
  | E1 : sqrt ?x * sqrt ?x = ?x |- _ => field [E1]; bp_side
  end.

(** ** The algebra of the last line *)

Ltac bp_algebra :=
  first
  [ solve [ring]
  | solve [field; bp_side]
  | solve [bp_exp; field; bp_side]
  | solve [bp_unify; field; bp_side]
  | lazymatch goal with |- context [sqrt _] => solve [unfold phi, Rdiv, Rminus; bp_unify1 exp; bp_roots] end
  | lazymatch goal with |- context [tanh _] => solve [rewrite ?tanh_exp; unfold Rdiv, Rminus; bp_unify1 exp; field; bp_side] end
  | timeout 30 (solve [repeat rewrite sigmoid_alt; unfold tanh, sinh, cosh, softplus; bp_exp; field; bp_side])
  | timeout 30 (solve [repeat rewrite sigmoid_alt; unfold tanh, sinh, cosh; bp_unify; bp_exp; field; bp_side]) ].

(** A case that cannot be: two indicators that exclude each other, or a kink that a hypothesis rules out. *)
Ltac bp_absurd :=
  exfalso; first [ lra | match goal with H : _ <> _ |- _ => apply H; lra end ].
Ltac bp_by_cases :=
  bp_abs; bp_unify1 step; bp_cases;
  first [ solve [ring] | solve [bp_absurd] | bp_algebra ].
Ltac bp_field :=
  intros; cbv beta; simpl INR; simpl Init.Nat.pred; rewrite ?sigmoid_opp; unfold Rdiv, Rminus;
  first
  [ solve [ring]
  | lazymatch goal with
    | |- context [step _] => bp_by_cases
    | |- context [Rabs _] => bp_by_cases
    | _ => bp_algebra
    end
  | idtac ].

(** [auto_derive] writes u^2 as u * (u * 1). *)
Ltac bp_squares := repeat match goal with |- context [?u * (?u * 1)] => change (u * (u * 1)) with (u ^ 2) end.

Ltac bp_derive := auto_derive; [ bp_squares; bp_side | bp_squares; bp_field ].

(** ** For generated files

    A generated file puts its definitions of slopes and functions into these two sets, so that the tactics can open them. *)

Create HintDb bp_slopes.
Create HintDb bp_functions.
#[global] Hint Unfold phi : bp_functions.

Ltac bp_open_slopes := repeat progress autounfold with bp_slopes in *.
Ltac bp_open_functions := repeat progress autounfold with bp_slopes bp_functions in *.

(** The slope of a function whose definition is open. *)
Ltac bp_slope := first [ solve [bp_derive] | solve [bp_open_slopes; bp_derive] | solve [bp_open_functions; bp_derive] ].

(** Two texts of one function. *)
Ltac bp_text :=
  intros;
  first
  [ reflexivity
  | solve [unfold sigmoid, softplus, Phi, phi; bp_field]
  | solve [rewrite Rabs_step; ring]
  | solve [unfold tanh, sinh, cosh; bp_field] ].

(** One line of a derivation equals the next: first by algebra alone, then with definitions opened, then with all means. *)
Ltac bp_by_algebra :=
  cbv beta; simpl INR; simpl Init.Nat.pred; rewrite ?sigmoid_opp; unfold Rdiv, Rminus;
  first [ ring | field; bp_side | lazymatch goal with |- context [sqrt _] => bp_roots end ].
Ltac bp_line :=
  intros;
  first
  [ solve [bp_by_algebra]
  | solve [bp_open_slopes; bp_by_algebra]
  | solve [bp_open_functions; bp_by_algebra]
  | solve [bp_open_slopes; bp_field]
  | solve [bp_open_functions; bp_field] ].

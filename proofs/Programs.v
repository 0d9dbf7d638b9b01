(** * Tactics for generated files about whole networks

    A generated file defines the forward pass, the loss as a function of every layer, and the equations of the reverse
    sweep. Each lemma then goes through one layer: [bp_through_map], [bp_through_dense], [bp_through_softmax],
    [bp_through] for any other vector function; and [bp_parameter] gives the slope in one weight or bias. *)

From Coq Require Import Reals Psatz Arith Lia.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Functions Scalars Activations Sums Gradients Layers Softmax Vectors Batches.
Open Scope R_scope.

(** A dense layer in any layout: W i j is the weight from unit j to unit i, however the file stores it. *)
Theorem bp_dense m n L (F : (nat -> R) -> nat -> R) W b a delta :
  (forall u i, F u i = affine n W b u i) ->
  is_grad m L (F a) delta ->
  is_grad n (fun u => L (F u)) a (fun j => Sum m (fun i => delta i * W i j)).
Proof.
  intros E H. apply backprop_step with (F := F); auto.
  intros i Hi. apply is_grad_ext with (fun u => affine n W b u i); [intros; symmetry; apply E |].
  apply (affine_jac m n W b a i Hi).
Qed.

(** ** The derivative in one scalar, by the shape of the formula, sums included *)

Lemma d_exp (f : R -> R) x a : is_derive f x a -> is_derive (fun t => exp (f t)) x (exp (f x) * a).
Proof. intros. apply d_comp with (f := exp); [apply is_derive_exp | assumption]. Qed.

Ltac bp_d1 :=
  cbv beta;
  match goal with
  | |- is_derive (fun t => ?c) _ _ => apply (d_const c)
  | |- is_derive (fun t => Sum ?m (fun r => Sum ?n (fun q => updM ?W ?i ?j t r q ^ 2))) _ _ =>
      apply (d_squares m n W i j); assumption
  | |- is_derive (fun t => t) _ _ => apply d_id
  | |- is_derive (fun t => updM ?W ?i ?j t ?r ?q) ?s _ => apply (d_updM W i j r q s)
  | |- is_derive (fun t => upd ?v ?k t ?i) ?s _ => apply (d_upd v k i s)
  | |- is_derive (fun t => @?A t + @?B t) _ _ => eapply (d_plus A B)
  | |- is_derive (fun t => @?A t - @?B t) _ _ => eapply (d_minus A B)
  | |- is_derive (fun t => - @?A t) _ _ => eapply (d_opp A)
  | |- is_derive (fun t => ?c * @?B t) _ _ => eapply (d_scal c B)
  | |- is_derive (fun t => @?A t * ?c) _ _ => eapply (d_scal_r c A)
  | |- is_derive (fun t => @?A t / ?c) _ _ => eapply (d_scal_r (/ c) A)
  | |- is_derive (fun t => @?A t * @?B t) _ _ => eapply (d_mult A B)
  | |- is_derive (fun t => @?A t ^ ?n) _ _ => eapply (d_pow A n)
  | |- is_derive (fun t => Sum ?n (fun i => @?A t i)) _ _ => eapply (d_Sum n A); intros ? ?
  end.

(** An entry that is put back is not changed. *)
Ltac bp_self :=
  cbv beta;
  repeat first
  [ reflexivity | apply updM_self | apply upd_self | apply Sum_ext; intros ? ? | progress f_equal ].

(** From the gradient H at a layer's values z, the slope in one entry of its weights or bias. *)
Tactic Notation "bp_parameter" constr(H) reference(z) :=
  intros; eapply d_eq;
  [ eapply param_step; [exact H | intros ? ?; split; [unfold z; bp_self | repeat bp_d1]]
  | cbv beta; bp_sum_algebra ].

(** The same where all examples of a batch share the parameter: H e is the gradient of example e. *)
Tactic Notation "bp_shared_parameter" constr(H) reference(z) :=
  intros; eapply d_eq;
  [ match goal with
    | |- is_derive (fun t => Sum ?m (fun e => @?A t e)) _ _ => eapply (d_Sum m A)
    end;
    let e := fresh "e" in let He := fresh "He" in
    intros e He; eapply param_step; [exact (H e He) | intros ? ?; split; [unfold z; bp_self | repeat bp_d1]]
  | cbv beta; bp_sum_algebra ].

(** Slopes that come from a sum: of the data and of a penalty on the weights. *)
Ltac bp_penalty := intros; eapply d_eq; [ repeat bp_d1 | cbv beta; simpl INR; simpl Init.Nat.pred; first [ring | field; bp_vside] ].

(** exp (z - ln S) = exp z / S, as log-softmax needs it. *)
Ltac bp_vector_exp :=
  unfold Rminus;
  repeat first [ rewrite exp_plus | rewrite exp_Ropp | rewrite exp_ln by solve [bp_vside] ].

(** A batch's loss is the sum of the terms of its examples, each with the common factor. *)
Ltac bp_together :=
  first
  [ reflexivity
  | cbv beta; rewrite ?Sum_scal_l; first [ reflexivity | unfold Rdiv; ring | field; bp_vside ] ].

(** One line of a derivation about whole vectors: two sums agree term by term, or after both are brought to normal form. *)
Ltac bp_pointwise :=
  apply Sum_ext; let i := fresh "i" in let H := fresh in intros i H; cbv beta; unfold Rdiv, Rminus;
  first [ ring | field; bp_vside ].
Ltac bp_vector_quick :=
  intros; first [ reflexivity | solve [bp_by_algebra] | solve [bp_pointwise] | solve [bp_sum_algebra] ].

(** What is divided by is not 0, said of sums in normal form, for tactics that know nothing of sums. *)
Ltac bp_divisors :=
  repeat match goal with
  | |- context [/ SumD ?n ?f] =>
      lazymatch goal with _ : SumD n f <> 0 |- _ => fail | _ => assert (SumD n f <> 0) by (apply Rgt_not_eq; solve [bp_vside]) end
  end.
Ltac bp_vector_line :=
  intros; repeat match goal with H : Sum _ _ = 1 |- _ => progress rewrite ?H end;
  first
  [ reflexivity
  | solve [bp_open_slopes; bp_vector_quick]
  | solve [bp_open_functions; bp_vector_quick]
  | solve [bp_vector_exp; bp_vector_quick]
  | solve [bp_open_slopes; bp_sums; bp_units; bp_divisors; bp_same; bp_line]
  | solve [bp_line] ].

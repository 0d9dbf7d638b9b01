(** * Lines about outputs that are shares of a whole

    Behind a softmax the outputs a_j sum to 1. So a formula with sums over the outputs, r + sum_j f_j, may be written in
    many ways: a number c is also sum_j c a_j. [part n e r f] says that e = r + sum_j f_j; [bp_parts] finds r and f by the
    shape of e. Two formulas are equal as soon as they are equal term by term, once their difference without a sum has
    been put under the sum: [unit_parts]. *)

From Coq Require Import Reals Psatz Arith Lia.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Functions Scalars Activations Sums Gradients Vectors.
Open Scope R_scope.

Definition part (n : nat) (e r : R) (f : nat -> R) : Prop := e = r + Sum n f.

Lemma part_none n x : part n x x (fun _ => 0).
Proof. unfold part. rewrite Sum_0. ring. Qed.
Lemma part_sum n f : part n (Sum n f) 0 f.
Proof. unfold part. ring. Qed.
Lemma part_size n : part n (INR n) 0 (fun _ => 1).
Proof. unfold part. rewrite Sum_const. ring. Qed.
Lemma part_plus n x y r s f g : part n x r f -> part n y s g -> part n (x + y) (r + s) (fun j => f j + g j).
Proof. unfold part. intros -> ->. rewrite Sum_plus. ring. Qed.
Lemma part_minus n x y r s f g : part n x r f -> part n y s g -> part n (x - y) (r - s) (fun j => f j - g j).
Proof. unfold part. intros -> ->. rewrite Sum_minus. ring. Qed.
Lemma part_opp n x r f : part n x r f -> part n (- x) (- r) (fun j => - f j).
Proof. unfold part. intros ->. rewrite Sum_opp. ring. Qed.
Lemma part_left n c x r f : part n x r f -> part n (c * x) (c * r) (fun j => c * f j).
Proof. unfold part. intros ->. rewrite Sum_scal_l. ring. Qed.
Lemma part_right n c x r f : part n x r f -> part n (x * c) (r * c) (fun j => f j * c).
Proof. unfold part. intros ->. rewrite Sum_scal_r. ring. Qed.
Lemma part_over n c x r f : part n x r f -> part n (x / c) (r / c) (fun j => f j / c).
Proof. apply part_right. Qed.

(** A term with Kronecker's delta differs from the others at one place only. *)
Lemma part_kron n i (f : nat -> R -> R) : (i < n)%nat ->
  part n (Sum n (fun j => f j (kron j i))) (f i 1 - f i 0) (fun j => f j 0).
Proof.
  intros Hi. unfold part. rewrite <- (Sum_kron n i (fun j => f j 1 - f j 0) Hi), <- Sum_plus.
  apply Sum_ext. intros j _. unfold kron. destruct (Nat.eq_dec j i); ring.
Qed.

Lemma unit_parts n a x y r s f g :
  Sum n a = 1 -> part n x r f -> part n y s g ->
  (forall j, (j < n)%nat -> f j - g j + (r - s) * a j = 0) -> x = y.
Proof.
  unfold part. intros U -> -> H.
  assert (E : Sum n (fun j => f j - g j + (r - s) * a j) = 0).
  { rewrite (Sum_ext n _ (fun _ => 0)), Sum_0; auto. }
  rewrite Sum_plus, Sum_minus, Sum_scal_l, U in E. lra.
Qed.

(** Where numerators e_j are shares a_j of their sum s, the shares sum to 1. *)
Lemma unit_of_shares s e n a :
  0 < s -> (forall j, (j < n)%nat -> e j = a j * s) -> s = Sum n e -> Sum n a = 1.
Proof.
  intros Hs P E. apply Rmult_eq_reg_r with s; [| lra].
  rewrite <- Sum_scal_r, Rmult_1_l, (Sum_ext n _ e); [symmetry; exact E |]. intros; symmetry; apply P; assumption.
Qed.

Ltac bp_share := unfold Rminus; rewrite ?exp_plus, ?exp_Ropp, ?exp_ln by bp_vside; field; bp_vside.

(** Whether a formula has a sum over n to be opened; a sum in a denominator is a number like any other. *)
Ltac bp_has_sum n e :=
  lazymatch e with
  | Sum n _ => idtac
  | ?x + ?y => first [ bp_has_sum n x | bp_has_sum n y ]
  | ?x - ?y => first [ bp_has_sum n x | bp_has_sum n y ]
  | ?x * ?y => first [ bp_has_sum n x | bp_has_sum n y ]
  | ?x / ?y => bp_has_sum n x
  | - ?x => bp_has_sum n x
  | _ => fail
  end.
Ltac bp_has_size n e := lazymatch e with context [INR n] => idtac | _ => fail end.
Ltac bp_has n e := first [ bp_has_sum n e | bp_has_size n e ].

Ltac bp_part_of_sum :=
  match goal with
  | Hi : (?i < ?n)%nat |- part ?n (Sum ?n ?f) _ _ =>
      lazymatch f with context [kron _ i] => idtac end;
      let F := constr:(fun j : nat => ltac:(
        let body := eval cbv beta in (f j) in
        let opened := eval pattern (kron j i) in body in
        lazymatch opened with ?G _ => exact G end)) in
      exact (part_kron n i F Hi)
  | |- part ?n (Sum ?n ?f) _ _ => apply part_sum
  end.

Ltac bp_parts :=
  cbv beta;
  lazymatch goal with
  | |- part ?n (Sum ?n _) _ _ => bp_part_of_sum
  | |- part ?n (INR ?n) _ _ => apply part_size
  | |- part ?n (?x + ?y) _ _ => eapply part_plus; bp_parts
  | |- part ?n (?x - ?y) _ _ => eapply part_minus; bp_parts
  | |- part ?n (- ?x) _ _ => eapply part_opp; bp_parts
  | |- part ?n (?x / ?y) _ _ => eapply part_over; bp_parts
  | |- part ?n (?x * ?y) _ _ =>
      first
      [ bp_has_sum n x; eapply part_right; bp_parts
      | bp_has_sum n y; eapply part_left; bp_parts
      | bp_has_size n x; eapply part_right; bp_parts
      | bp_has_size n y; eapply part_left; bp_parts
      | apply part_none ]
  | |- part ?n ?x _ _ => apply part_none
  end.

(** ** One term *)

(** Off the kink, [-u > 0] = 1 - [u > 0]. *)
Lemma step_flip u v : u <> 0 -> v = - u -> step v = 1 - step u.
Proof. intros H ->. destruct (step_cases u) as [[A ->] | [A ->]]; [rewrite step_neg | rewrite step_pos]; lra. Qed.
Ltac bp_flips :=
  repeat match goal with
  | |- context [step ?u] =>
      match goal with
      | |- context [step ?v] =>
          lazymatch u with v => fail | _ => idtac end;
          rewrite (step_flip u v) by first [ solve [bp_vside] | ring ]
      end
  end.

Ltac bp_term :=
  first
  [ ring
  | solve [field; bp_vside]
  | solve [bp_unify1 step; bp_flips; first [ ring | field; bp_vside ]]
  | solve [bp_open_slopes; bp_unify1 step; bp_flips; first [ ring | field; bp_vside ]]
  | solve [unfold Rdiv, Rminus; bp_unify1 exp; bp_exp; bp_unify1 exp; first [ ring | field; bp_vside ]]
  | solve [bp_open_functions; unfold sigmoid, Rdiv, Rminus; bp_unify1 sqrt; bp_unify1 exp; bp_exp; bp_unify1 exp; first [ ring | field; bp_vside ]] ].

(** P says that the numerator is the share times the denominator, U that the shares sum to 1. *)
Tactic Notation "bp_shares" constr(P) constr(U) :=
  rewrite ?U in * by assumption;
  let E := fresh in pose proof U as E; try (specialize (E _ ltac:(eassumption)));
  eapply unit_parts;
  [ exact E | bp_parts | bp_parts
  | let j := fresh "j" in let Hj := fresh in intros j Hj; cbv beta; rewrite ?P by assumption; bp_term ].

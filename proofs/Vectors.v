(** * Tactics that prove gradients of functions of n variables, n a letter

    [bp_grad] proves [is_grad n L v g] from the formula of L: it walks over L with the rules of Gradients.v, and then
    proves that the gradient it found is the one that is claimed. [bp_sums] does that last part: it brings sums to a
    normal form (constants pulled out, sums of sums split, Kronecker deltas collapsed). It does not exchange the order
    of two sums; long chains are proved layer by layer instead, with the theorems of Layers.v. *)

From Coq Require Import Reals Psatz Arith Lia.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Functions Scalars Activations Sums Gradients.
Open Scope R_scope.

(** ** Constants out of sums, from any place of a product of up to six factors *)

Local Ltac pull := intros; rewrite <- ?Sum_scal_l, <- ?Sum_opp; apply Sum_ext; intros; ring.
Section Pull.
Variables (n : nat) (c : R) (f g h p q : nat -> R).
Lemma Sum_l2 : Sum n (fun i => c * f i * g i) = c * Sum n (fun i => f i * g i). Proof. pull. Qed.
Lemma Sum_o2 : Sum n (fun i => - f i * g i) = - Sum n (fun i => f i * g i). Proof. pull. Qed.
Lemma Sum_m2 : Sum n (fun i => f i * c * g i) = c * Sum n (fun i => f i * g i). Proof. pull. Qed.
Lemma Sum_l3 : Sum n (fun i => c * f i * g i * h i) = c * Sum n (fun i => f i * g i * h i). Proof. pull. Qed.
Lemma Sum_o3 : Sum n (fun i => - f i * g i * h i) = - Sum n (fun i => f i * g i * h i). Proof. pull. Qed.
Lemma Sum_m3 : Sum n (fun i => f i * c * g i * h i) = c * Sum n (fun i => f i * g i * h i). Proof. pull. Qed.
Lemma Sum_l4 : Sum n (fun i => c * f i * g i * h i * p i) = c * Sum n (fun i => f i * g i * h i * p i). Proof. pull. Qed.
Lemma Sum_o4 : Sum n (fun i => - f i * g i * h i * p i) = - Sum n (fun i => f i * g i * h i * p i). Proof. pull. Qed.
Lemma Sum_m4 : Sum n (fun i => f i * c * g i * h i * p i) = c * Sum n (fun i => f i * g i * h i * p i). Proof. pull. Qed.
Lemma Sum_l5 : Sum n (fun i => c * f i * g i * h i * p i * q i) = c * Sum n (fun i => f i * g i * h i * p i * q i).
Proof. pull. Qed.
Lemma Sum_o5 : Sum n (fun i => - f i * g i * h i * p i * q i) = - Sum n (fun i => f i * g i * h i * p i * q i).
Proof. pull. Qed.
Lemma Sum_m5 : Sum n (fun i => f i * c * g i * h i * p i * q i) = c * Sum n (fun i => f i * g i * h i * p i * q i).
Proof. pull. Qed.
End Pull.

Ltac bp_pick :=
  match goal with
  | Hk : (?k < ?n)%nat |- context [Sum ?n ?f] =>
      lazymatch f with context [kron] => idtac end;
      rewrite (Sum_pick n k f Hk) by
        (let i := fresh "i" in let N := fresh "N" in intros i ? N; cbv beta;
         first [ rewrite (kron_other i k N) | rewrite (kron_other k i) by (intro; apply N; symmetry; assumption) ]; ring);
      cbv beta; rewrite ?kron_same
  end.
Ltac bp_pull :=
  repeat first
  [ rewrite Sum_plus | rewrite Sum_minus | rewrite Sum_opp
  | rewrite Sum_kron1 by assumption | rewrite Sum_kron1' by assumption | rewrite Sum_const
  | rewrite Sum_scal_l | rewrite Sum_scal_r
  | rewrite Sum_l2 | rewrite Sum_o2 | rewrite Sum_m2 | rewrite Sum_l3 | rewrite Sum_o3 | rewrite Sum_m3
  | rewrite Sum_l4 | rewrite Sum_o4 | rewrite Sum_m4 | rewrite Sum_l5 | rewrite Sum_o5 | rewrite Sum_m5
  | rewrite Sum_kron by assumption | rewrite Sum_kron_l by assumption
  | rewrite Sum_kron' by assumption | rewrite Sum_kron_l' by assumption
  | rewrite Sum_kron_mid by assumption | bp_pick ]; cbv beta.

(** A sum in normal form gets another name, so that [ring] and [field] see one opaque number. *)
Definition SumD := Sum.
Lemma SumD_pos n f : (0 < n)%nat -> (forall i, (i < n)%nat -> 0 < f i) -> 0 < SumD n f.
Proof. exact (Sum_pos n f). Qed.
Lemma SumD_nonneg n f : (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= SumD n f.
Proof. exact (Sum_nonneg n f). Qed.
Lemma SumD_ext n f g : (forall i, (i < n)%nat -> f i = g i) -> SumD n f = SumD n g.
Proof. exact (Sum_ext n f g). Qed.

(** ** Side conditions with sums: positive, not negative, not 0 *)

Ltac bp_nonneg :=
  repeat (cbv beta; first
   [ apply Sum_nonneg; intros ? ? | apply SumD_nonneg; intros ? ?
   | apply pow2_ge_0 | apply Rle_0_sqr | apply sqrt_pos | apply Rabs_pos | apply pos_INR
   | lra | apply Rmult_le_pos | apply Rplus_le_le_0_compat
   | left; apply Rinv_0_lt_compat; apply lt_0_INR; assumption
   | left; apply exp_pos | left; apply sigmoid_pos ]).
(** What the hypotheses say of every entry, said of the entries at hand. *)
Ltac bp_entries :=
  repeat match goal with
  | H : forall i, (i < ?n)%nat -> _, Hj : (?j < ?n)%nat |- _ =>
      let T := type of (H j Hj) in
      lazymatch goal with _ : T |- _ => fail | _ => pose proof (H j Hj) end
  end; cbv beta in *; unfold Rdiv, Rminus in *.
Ltac bp_vside :=
  repeat (cbv beta; first
   [ assumption | exact I | apply exp_pos | apply sigmoid_pos
   | match goal with H : forall i, (i < _)%nat -> 0 < _ |- 0 < _ => apply H; assumption end
   | match goal with H : forall i, (i < _)%nat -> _ < _ < _ |- 0 < _ => apply H; assumption end
   | apply Sum_pos; [first [assumption | lia] | intros ? ?] | apply SumD_pos; [first [assumption | lia] | intros ? ?]
   | apply lt_0_INR; first [assumption | lia] | apply not_0_INR; lia
   | apply Rdiv_lt_0_compat | apply Rmult_lt_0_compat | apply Rinv_0_lt_compat
   | apply Rplus_le_lt_0_compat; [solve [bp_nonneg] | solve [bp_vside]]
   | apply Rplus_lt_le_0_compat; [solve [bp_vside] | solve [bp_nonneg]]
   | apply sqrt_lt_R0 | apply pow_lt
   | lra | solve [bp_entries; lra] | progress split | apply Rmult_neq0 | apply Rinv_neq_0_compat | apply pow_nonzero
   | apply Rgt_not_eq, Rlt_gt ]).

(** ** Normal form of sums *)

(** [ring_simplify] with X * / X = 1 for every X that occurs inverted and is provably not 0. *)
Ltac bp_inv_hyps :=
  repeat match goal with
  | |- context [/ ?X] =>
     lazymatch goal with
     | _ : X * / X = 1 |- _ => fail
     | _ => assert (X * / X = 1) by (apply Rinv_r; solve [bp_vside])
     end
  end.
Ltac bp_rs :=
  unfold Rdiv, Rminus;
  repeat first [ rewrite Rinv_mult | rewrite Rinv_inv | rewrite <- pow_inv | rewrite Rpow_mult_distr ];
  bp_inv_hyps;
  lazymatch goal with
  | H1 : ?a * / ?a = 1, H2 : ?b * / ?b = 1, H3 : ?c * / ?c = 1, H4 : ?d * / ?d = 1, H5 : ?e * / ?e = 1 |- _ =>
      ring_simplify [H1 H2 H3 H4 H5]
  | H1 : ?a * / ?a = 1, H2 : ?b * / ?b = 1, H3 : ?c * / ?c = 1, H4 : ?d * / ?d = 1 |- _ => ring_simplify [H1 H2 H3 H4]
  | H1 : ?a * / ?a = 1, H2 : ?b * / ?b = 1, H3 : ?c * / ?c = 1 |- _ => ring_simplify [H1 H2 H3]
  | H1 : ?a * / ?a = 1, H2 : ?b * / ?b = 1 |- _ => ring_simplify [H1 H2]
  | H1 : ?a * / ?a = 1 |- _ => ring_simplify [H1]
  | _ => ring_simplify
  end.
Ltac bp_mark := repeat match goal with |- context [Sum ?n ?f] => change (Sum n f) with (SumD n f) end.

(** Inner sums first, also those that depend on an outer index. *)
Ltac bp_expand1 n f :=
  let h := fresh "h" in evar (h : nat -> R);
  let E := fresh "E" in
  assert (E : Sum n f = Sum n h) by
    (apply Sum_ext; let i := fresh "i" in let H := fresh in intros i H; cbv beta;
     bp_sums; bp_rs; subst h; reflexivity);
  rewrite E; clear E; subst h; cbv beta
with bp_one n f :=
  let v := fresh "v" in evar (v : R);
  let E := fresh "E" in
  assert (E : Sum n f = v) by (bp_expand1 n f; bp_pull; bp_mark; subst v; reflexivity);
  rewrite E; clear E; subst v
with bp_sums :=
  unfold Rdiv, Rminus;
  repeat match goal with
  | |- context [Sum ?n ?f] => bp_one n f
  end.

(** Sums in normal form whose bodies agree by algebra are made the same sum. *)
Ltac bp_same :=
  repeat match goal with
  | |- context [SumD ?n ?f] =>
     match goal with
     | |- context [SumD n ?g] =>
        lazymatch f with g => fail | _ => idtac end;
        replace (SumD n g) with (SumD n f)
          by (apply SumD_ext; let i := fresh "i" in let H := fresh in intros i H; cbv beta; bp_same;
              first [ring | field; solve [bp_vside]])
     end
  end.

(** Targets that sum to 1. *)
Ltac bp_units :=
  repeat match goal with
  | H : Sum ?n ?f = 1 |- context [SumD ?n ?g] =>
      replace (SumD n g) with 1 by (rewrite <- H; apply Sum_ext; intros; cbv beta; ring)
  end.

(** Two ways of writing a number with sums agree. *)
Ltac bp_sum_algebra :=
  cbv beta; simpl INR; simpl Init.Nat.pred; bp_sums; bp_units;
  first [ solve [ring] | solve [field; bp_vside] | bp_same; first [ solve [ring] | solve [field; bp_vside] | idtac ] ].

(** ** The gradient, by the shape of the formula *)

Lemma is_derive_Ropp x : is_derive Ropp x (-1).
Proof. auto_derive; [exact I | ring]. Qed.
Lemma is_derive_Rinv x : x <> 0 -> is_derive Rinv x (- / x ^ 2).
Proof. intros; auto_derive; [assumption | field; assumption]. Qed.
Lemma is_derive_powc n x : is_derive (fun t => t ^ n) x (INR n * x ^ pred n).
Proof. auto_derive; [exact I | ring]. Qed.
Lemma is_derive_sqrt' x : 0 < x -> is_derive sqrt x (/ (2 * sqrt x)).
Proof. intros; auto_derive; [assumption | field; generalize (sqrt_lt_R0 x); lra]. Qed.

Ltac bp_grad1 :=
  cbv beta;
  match goal with
  | |- is_grad _ (fun u => ?c) _ _ => apply (grad_const _ c)
  | |- is_grad _ (fun u => @?A u + @?B u) _ _ => eapply (grad_plus _ A B)
  | |- is_grad _ (fun u => @?A u - @?B u) _ _ => eapply (grad_minus _ A B)
  | |- is_grad _ (fun u => ?c * @?B u) _ _ => eapply (grad_scal _ B _ _ c)
  | |- is_grad _ (fun u => @?A u * @?B u) _ _ => eapply (grad_mult _ A B)
  | |- is_grad _ (fun u => @?A u / @?B u) _ _ => eapply (grad_mult _ A (fun u => / B u))
  | |- is_grad _ (fun u => Sum ?m (fun i => @?A i u)) _ _ => eapply (grad_Sum _ m (fun i u => A i u)); intros ? ?
  | |- is_grad _ (fun u => u ?k) _ _ => apply coord_grad; assumption
  | |- is_grad _ (fun u => - @?A u) _ _ => eapply (grad_comp _ A _ _ Ropp); [| apply is_derive_Ropp]
  | |- is_grad _ (fun u => / @?A u) _ _ => eapply (grad_comp _ A _ _ Rinv); [| apply is_derive_Rinv]
  | |- is_grad _ (fun u => @?A u ^ ?n) _ _ => eapply (grad_comp _ A _ _ (fun t => t ^ n)); [| apply is_derive_powc]
  | |- is_grad _ (fun u => exp (@?A u)) _ _ => eapply (grad_comp _ A _ _ exp); [| apply is_derive_exp]
  | |- is_grad _ (fun u => ln (@?A u)) _ _ => eapply (grad_comp _ A _ _ ln); [| apply is_derive_ln]
  | |- is_grad _ (fun u => sqrt (@?A u)) _ _ => eapply (grad_comp _ A _ _ sqrt); [| apply is_derive_sqrt']
  | |- is_grad _ (fun u => tanh (@?A u)) _ _ => eapply (grad_comp _ A _ _ tanh); [| apply is_derive_tanh]
  | |- is_grad _ (fun u => sigmoid (@?A u)) _ _ => eapply (grad_comp _ A _ _ sigmoid); [| apply is_derive_sigmoid]
  | |- is_grad _ (fun u => softplus (@?A u)) _ _ => eapply (grad_comp _ A _ _ softplus); [| apply is_derive_softplus]
  end.
Ltac bp_grad :=
  eapply is_grad_eq;
  [ repeat bp_grad1; bp_vside
  | let k := fresh "k" in let Hk := fresh "Hk" in intros k Hk; bp_sum_algebra ].

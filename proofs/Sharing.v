(** * Shared parameters, and gradients in several parameters at once

    The calculus of Gradients.v once more, with coordinates named by any finite list of indices: pairs for matrices,
    time and unit for recurrent networks, or a mixture for all parameters of a layer together. The main result is
    [bp_shared]: where one parameter is used in several places, its gradient is the sum over these places. That is the
    rule for recurrent networks, convolutions and tied embeddings. *)

From Coq Require Import Reals Psatz Arith Lia List.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Sums Gradients.
Import ListNotations.
Open Scope R_scope.

Fixpoint SumL {I : Type} (l : list I) (f : I -> R) : R :=
  match l with [] => 0 | i :: r => f i + SumL r f end.
Section SumL.
Context {I J : Type}.
Implicit Types (l : list I) (f g : I -> R).
Lemma SumL_ext l f g : (forall i, In i l -> f i = g i) -> SumL l f = SumL l g.
Proof. induction l; simpl; intros H; auto. rewrite IHl, H; auto. Qed.
Lemma SumL_plus l f g : SumL l (fun i => f i + g i) = SumL l f + SumL l g.
Proof. induction l; simpl; [ring|]. rewrite IHl; ring. Qed.
Lemma SumL_scal_l l c f : SumL l (fun i => c * f i) = c * SumL l f.
Proof. induction l; simpl; [ring|]. rewrite IHl; ring. Qed.
Lemma SumL_scal_r l c f : SumL l (fun i => f i * c) = SumL l f * c.
Proof. induction l; simpl; [ring|]. rewrite IHl; ring. Qed.
Lemma SumL_0 l : SumL l (fun _ => 0) = 0.
Proof. induction l; simpl; [ring|]. rewrite IHl; ring. Qed.
Lemma SumL_switch (m : list I) (n : list J) (f : I -> J -> R) :
  SumL m (fun i => SumL n (fun j => f i j)) = SumL n (fun j => SumL m (fun i => f i j)).
Proof.
  induction m; simpl.
  - induction n; simpl; [ring|]. rewrite <- IHn; ring.
  - rewrite IHm. clear IHm. induction n; simpl; [ring|]. rewrite <- IHn; ring.
Qed.
Lemma SumL_app l1 l2 f : SumL (l1 ++ l2) f = SumL l1 f + SumL l2 f.
Proof. induction l1; simpl; [ring|]. rewrite IHl1; ring. Qed.
Lemma SumL_map (h : I -> J) l (f : J -> R) : SumL (map h l) f = SumL l (fun i => f (h i)).
Proof. induction l; simpl; auto. rewrite IHl; auto. Qed.
End SumL.
Lemma Sum_SumL n f : Sum n f = SumL (seq 0 n) f.
Proof. induction n; auto. rewrite seq_S, SumL_app, <- IHn; simpl; ring. Qed.
Lemma SumL_pairs {I J} (l : list I) (r : list J) f :
  SumL (list_prod l r) f = SumL l (fun i => SumL r (fun j => f (i, j))).
Proof. induction l; simpl; auto. rewrite SumL_app, SumL_map, IHl; auto. Qed.

(** ** One coordinate *)

Section Coordinate.
Context {I : Type} (dec : forall a b : I, {a = b} + {a <> b}).
Definition kr (i k : I) : R := if dec i k then 1 else 0.
Definition updI (v : I -> R) (k : I) (t : R) : I -> R := fun i => if dec i k then t else v i.
Lemma SumL_kr l k f : NoDup l -> In k l -> SumL l (fun i => f i * kr i k) = f k.
Proof.
  unfold kr. induction l as [|a l IH]; simpl; [tauto|]. intros ND [->|H].
  - inversion_clear ND. destruct (dec k k); [|congruence].
    rewrite (SumL_ext l _ (fun _ => 0)), SumL_0; [ring|].
    intros i Hi. destruct (dec i k); [subst; tauto | ring].
  - inversion_clear ND. rewrite IH; auto.
    destruct (dec a k); [subst; tauto | ring].
Qed.
Lemma d_updI v k i s : is_derive (fun t => updI v k t i) s (kr i k).
Proof. unfold updI, kr. destruct (dec i k); [apply d_id | apply d_const]. Qed.
Lemma updI_self v k i : updI v k (v k) i = v i.
Proof. unfold updI. destruct (dec i k); congruence. Qed.
End Coordinate.


(** ** Curves, gradients, Jacobian matrices, the chain rule *)

Definition curveI {I} (l : list I) (c : R -> I -> R) s (v c' : I -> R) : Prop :=
  forall i, In i l -> c s i = v i /\ is_derive (fun t => c t i) s (c' i).
Definition gradI {I} (l : list I) (L : (I -> R) -> R) (v g : I -> R) : Prop :=
  forall c s c', curveI l c s v c' ->
    L (c s) = L v /\ is_derive (fun t => L (c t)) s (SumL l (fun i => g i * c' i)).
Definition jacI {O I} (o : list O) (l : list I) (F : (I -> R) -> O -> R) v (J : O -> I -> R) : Prop :=
  forall i, In i o -> gradI l (fun u => F u i) v (J i).
Lemma gradI_partial {I} dec (l : list I) L v g k : NoDup l -> In k l -> gradI l L v g ->
  is_derive (fun t => L (updI dec v k t)) (v k) (g k).
Proof.
  intros ND Hk H. rewrite <- (SumL_kr dec l k g ND Hk). apply H with (c := updI dec v k).
  intros i Hi. split; [apply updI_self | apply d_updI].
Qed.
Theorem backpropI {O I} (o : list O) (l : list I) L F v delta J :
  gradI o L (F v) delta -> jacI o l F v J ->
  gradI l (fun u => L (F u)) v (fun j => SumL o (fun i => delta i * J i j)).
Proof.
  intros HL HF c s c' Hc.
  assert (HC : curveI o (fun t => F (c t)) s (F v) (fun i => SumL l (fun j => J i j * c' j))).
  { intros i Hi. apply (HF i Hi c s c' Hc). }
  destruct (HL _ _ _ HC) as [H1 H2]. split; auto.
  eapply d_eq; [exact H2|].
  rewrite (SumL_ext o _ (fun i => SumL l (fun j => delta i * J i j * c' j))).
  2:{ intros; rewrite <- SumL_scal_l; apply SumL_ext; intros; ring. }
  rewrite SumL_switch. apply SumL_ext; intros. rewrite <- SumL_scal_r. reflexivity.
Qed.
Lemma gradI_eq {I} (l : list I) L v g g' : gradI l L v g -> (forall i, In i l -> g i = g' i) -> gradI l L v g'.
Proof.
  intros H E c s c' Hc. destruct (H c s c' Hc) as [H1 H2]. split; auto.
  rewrite (SumL_ext l _ (fun i => g i * c' i)); auto. intros; rewrite E; auto.
Qed.

(** ** Weight sharing: copy i of a list o of copies reads parameter pi i; the gradient adds up over the copies *)

Theorem bp_shared {O I} dec (o : list O) (l : list I) (pi : O -> I) L v g :
  NoDup l -> (forall i, In i o -> In (pi i) l) ->
  gradI o L (fun i => v (pi i)) g ->
  gradI l (fun u => L (fun i => u (pi i))) v (fun j => SumL o (fun i => g i * kr dec (pi i) j)).
Proof.
  intros ND Hpi H. apply (backpropI o l L (fun u i => u (pi i)) v g (fun i j => kr dec (pi i) j) H).
  intros i Hi c s c' Hc. destruct (Hc _ (Hpi i Hi)) as [E D]. split; auto.
  eapply d_eq; [exact D|].
  rewrite (SumL_ext l _ (fun j => c' j * kr dec j (pi i))).
  - symmetry; apply SumL_kr; auto.
  - intros; unfold kr. destruct (dec (pi i) i0), (dec i0 (pi i)); try congruence; ring.
Qed.

(** ** A dense layer in all its arguments W, b, a at once *)

Inductive arg := AW (i j : nat) | Ab (i : nat) | Aa (j : nat).
Definition args m n := map (fun p => AW (fst p) (snd p)) (list_prod (seq 0 m) (seq 0 n))
  ++ map Ab (seq 0 m) ++ map Aa (seq 0 n).
Definition aff n (u : arg -> R) (i : nat) : R :=
  SumL (seq 0 n) (fun j => u (AW i j) * u (Aa j)) + u (Ab i).
Lemma dS {I} (l : list I) (f : R -> I -> R) x (d : I -> R) :
  (forall i, In i l -> is_derive (fun t => f t i) x (d i)) ->
  is_derive (fun t => SumL l (fun i => f t i)) x (SumL l d).
Proof.
  induction l; simpl; intros H. { apply d_const. }
  apply d_plus; [apply H; auto | apply IHl; auto].
Qed.
Theorem bp_aff m n L u delta :
  gradI (seq 0 m) L (aff n u) delta ->
  gradI (args m n) (fun u => L (aff n u)) u
    (fun k => match k with
       | AW i j => delta i * u (Aa j)
       | Ab i => delta i
       | Aa j => SumL (seq 0 m) (fun i => delta i * u (AW i j)) end).
Proof.
  intros HL c s c' Hc.
  assert (HW : forall i j, In i (seq 0 m) -> In j (seq 0 n) -> In (AW i j) (args m n)).
  { intros; unfold args. apply in_or_app; left. apply in_map_iff. exists (i, j); split; auto. apply in_prod; auto. }
  assert (Hb : forall i, In i (seq 0 m) -> In (Ab i) (args m n)).
  { intros; unfold args. apply in_or_app; right. apply in_or_app; left. apply in_map; auto. }
  assert (Ha : forall j, In j (seq 0 n) -> In (Aa j) (args m n)).
  { intros; unfold args. apply in_or_app; right. apply in_or_app; right. apply in_map; auto. }
  set (dz := fun i => SumL (seq 0 n) (fun j => c' (AW i j) * u (Aa j) + u (AW i j) * c' (Aa j)) + c' (Ab i)).
  assert (HC : curveI (seq 0 m) (fun t => aff n (c t)) s (aff n u) dz).
  { intros i Hi. unfold aff, dz. split.
    - f_equal; [apply SumL_ext; intros j Hj; f_equal; apply Hc; auto | apply Hc; auto].
    - apply d_plus; [| apply Hc; auto].
      apply dS with (f := fun t j => c t (AW i j) * c t (Aa j)). intros j Hj.
      destruct (Hc _ (HW i j Hi Hj)) as [E1 D1], (Hc _ (Ha j Hj)) as [E2 D2].
      rewrite <- E1, <- E2. apply d_mult; auto. }
  destruct (HL _ _ _ HC) as [H1 H2]. split; auto.
  eapply d_eq; [exact H2|].
  unfold args, dz. rewrite !SumL_app, !SumL_map, SumL_pairs. simpl.
  rewrite (SumL_ext (seq 0 m) _ (fun i =>
     SumL (seq 0 n) (fun j => delta i * u (Aa j) * c' (AW i j)) +
     (delta i * c' (Ab i) + SumL (seq 0 n) (fun j => delta i * u (AW i j) * c' (Aa j))))).
  - rewrite !SumL_plus. f_equal. f_equal. rewrite SumL_switch. apply SumL_ext; intros. rewrite SumL_scal_r; auto.
  - intros i Hi. rewrite SumL_plus, Rmult_plus_distr_l, Rmult_plus_distr_l, <- !SumL_scal_l.
    rewrite (SumL_ext _ (fun j => delta i * (c' (AW i j) * u (Aa j))) (fun j => delta i * u (Aa j) * c' (AW i j))) by (intros; ring).
    rewrite (SumL_ext _ (fun j => delta i * (u (AW i j) * c' (Aa j))) (fun j => delta i * u (AW i j) * c' (Aa j))) by (intros; ring).
    ring.
Qed.

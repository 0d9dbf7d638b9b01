(** * Backpropagation is right for every depth and all widths

    A network is a list of layers. The theorems are proved by induction over that list: they hold for a network of any
    number of layers, of any sizes, with any activation functions that are differentiable where they are used. *)

From Coq Require Import Reals Psatz Arith Lia List.
From Coquelicot Require Import Coquelicot.
From Backproof Require Import Rules Sums Gradients Layers.
Import ListNotations.
Open Scope R_scope.

Record layer := Layer {
  nin : nat; nout : nat;                                (* sizes *)
  wt : nat -> nat -> R; bs : nat -> R;                  (* weights and biases *)
  act : R -> R; act' : R -> R                           (* the activation and its slope *)
}.

(** ** The forward pass *)

Definition pre (l : layer) (x : nat -> R) : nat -> R := affine (nin l) (wt l) (bs l) x.      (* z = W x + b *)
Definition out (l : layer) (x : nat -> R) : nat -> R := fun i => act l (pre l x i).          (* a = f(z) *)
Fixpoint forward (ls : list layer) (x : nat -> R) : nat -> R :=
  match ls with [] => x | l :: r => forward r (out l x) end.

(** ** The backward pass: g is the gradient at the layer's output *)

Definition delta (l : layer) (x g : nat -> R) : nat -> R := fun i => g i * act' l (pre l x i).
Definition back (l : layer) (x g : nat -> R) : nat -> R :=
  fun j => Sum (nout l) (fun i => delta l x g i * wt l i j).
Fixpoint backward (ls : list layer) (x g : nat -> R) : nat -> R :=
  match ls with [] => g | l :: r => back l x (backward r (out l x) g) end.

(** The sizes fit, and every activation is differentiable where it is used. *)
Fixpoint good (n : nat) (ls : list layer) (m : nat) (x : nat -> R) : Prop :=
  match ls with
  | [] => n = m
  | l :: r => nin l = n /\
      (forall i, (i < nout l)%nat -> is_derive (act l) (pre l x i) (act' l (pre l x i))) /\
      good (nout l) r m (out l x)
  end.

Lemma out_grad L l x g :
  (forall i, (i < nout l)%nat -> is_derive (act l) (pre l x i) (act' l (pre l x i))) ->
  is_grad (nout l) L (out l x) g ->
  is_grad (nout l) (fun z => L (fun i => act l (z i))) (pre l x) (delta l x g).
Proof. intros Ha H. apply bp_map; auto. Qed.

(** The backward pass gives the gradient at the input. *)
Theorem backward_correct ls : forall n m L x g,
  good n ls m x -> is_grad m L (forward ls x) g ->
  is_grad n (fun u => L (forward ls u)) x (backward ls x g).
Proof.
  induction ls as [| l r IH]; simpl; intros n m L x g Hg H.
  - subst; exact H.
  - destruct Hg as (En & Ha & Hr). subst n.
    apply (bp_activation (nout l) (nin l) (fun z => L (forward r (fun i => act l (z i))))).
    apply (out_grad (fun a => L (forward r a))); auto.
    apply IH with m; auto.
Qed.

Lemma forward_app q1 q2 : forall u, forward (q1 ++ q2) u = forward q2 (forward q1 u).
Proof. induction q1; simpl; auto. Qed.

(** ** Weights, biases and delta of the layer l between the layers p before it and the layers r after it *)

Section Layer.
Variables (p r : list layer) (l : layer) (n m : nat) (L : (nat -> R) -> R) (x g : nat -> R).

Let a := forward p x.                                   (* the input of layer l *)
Let d := delta l a (backward r (out l a) g).            (* its delta *)

Hypothesis Hl : forall i, (i < nout l)%nat -> is_derive (act l) (pre l a i) (act' l (pre l a i)).
Hypothesis Hr : good (nout l) r m (out l a).
Hypothesis HL : is_grad m L (forward r (out l a)) g.

Definition setW W' := Layer (nin l) (nout l) W' (bs l) (act l) (act' l).
Definition setb b' := Layer (nin l) (nout l) (wt l) b' (act l) (act' l).

Lemma delta_grad : is_grad (nout l) (fun z => L (forward r (fun i => act l (z i)))) (pre l a) d.
Proof. apply (out_grad (fun a => L (forward r a))); auto. apply backward_correct with m; auto. Qed.

Theorem dL_dW i j : (i < nout l)%nat -> (j < nin l)%nat ->
  is_derive (fun t => L (forward (p ++ setW (updM (wt l) i j t) :: r) x)) (wt l i j) (d i * a j).
Proof.
  intros Hi Hj.
  apply is_derive_ext with (fun t => L (forward r (fun q => act l (affine (nin l) (updM (wt l) i j t) (bs l) a q)))).
  { intros; rewrite forward_app; reflexivity. }
  apply (bp_weight (nout l) (nin l) (fun z => L (forward r (fun q => act l (z q))))); auto.
  apply delta_grad.
Qed.
Theorem dL_db i : (i < nout l)%nat ->
  is_derive (fun t => L (forward (p ++ setb (upd (bs l) i t) :: r) x)) (bs l i) (d i).
Proof.
  intros Hi.
  apply is_derive_ext with (fun t => L (forward r (fun q => act l (affine (nin l) (wt l) (upd (bs l) i t) a q)))).
  { intros; rewrite forward_app; reflexivity. }
  apply (bp_bias (nout l) (nin l) (fun z => L (forward r (fun q => act l (z q))))); auto.
  apply delta_grad.
Qed.
End Layer.

(** ** The same, stated for layers that are numbered 1, 2, ..., as textbooks do

    W l, b l, z l, a l are families over the layer number; h l is the size of layer l, and layer L is the last one.
    [tail l k] is the loss as a function of the vector z at layer l, followed by k more layers. *)

Section Numbered.
Variables (h : nat -> nat) (W : nat -> nat -> nat -> R) (b : nat -> nat -> R) (f f' : R -> R).
Variable loss : (nat -> R) -> R.                        (* the loss as a function of z(L): output activation included *)

(** Layer l + 1 from layer l. *)
Definition up (l : nat) (z : nat -> R) : nat -> R := affine (h l) (W (S l)) (b (S l)) (fun j => f (z j)).
Fixpoint tail (l k : nat) (z : nat -> R) : R :=
  match k with O => loss z | S k => tail (S l) k (up l z) end.

Variables (x : nat -> R) (last : nat).
Fixpoint zs (l : nat) : nat -> R :=
  match l with O => x | S O => affine (h 0) (W 1%nat) (b 1%nat) x | S l' => up l' (zs l') end.
Definition as_ (l : nat) : nat -> R := match l with O => x | _ => fun j => f (zs l j) end.

Lemma zs_step l : zs (S l) = affine (h l) (W (S l)) (b (S l)) (as_ l).
Proof. destruct l; reflexivity. Qed.

Variable deltaL : nat -> R.                             (* the gradient of the loss at z(L) *)
Fixpoint deltas (l k : nat) : nat -> R :=
  match k with
  | O => deltaL
  | S k => fun j => Sum (h (S l)) (fun i => deltas (S l) k i * W (S l) i j) * f' (zs l j)
  end.

Hypothesis Hloss : is_grad (h last) loss (zs last) deltaL.
Hypothesis Hf : forall l j, (0 < l < last)%nat -> (j < h l)%nat -> is_derive f (zs l j) (f' (zs l j)).

(** The induction step is the recursion for delta; the induction starts at the last layer. *)
Theorem delta_all k : forall l, (0 < l)%nat -> (l + k)%nat = last -> is_grad (h l) (tail l k) (zs l) (deltas l k).
Proof.
  induction k as [| k IH]; intros l Hl E.
  - simpl. replace l with last by lia. exact Hloss.
  - cbn [tail deltas]. unfold up.
    apply (bp_hidden (h (S l)) (h l) (tail (S l) k) (W (S l)) (b (S l)) f f' (zs l) (deltas (S l) k)).
    + specialize (IH (S l) ltac:(lia) ltac:(lia)). destruct l; [lia | exact IH].
    + intros j Hj. apply Hf; lia.
Qed.

Theorem weight_all l k i j : (l + S k)%nat = last -> (i < h (S l))%nat -> (j < h l)%nat ->
  is_derive (fun t => tail (S l) k (affine (h l) (updM (W (S l)) i j t) (b (S l)) (as_ l))) (W (S l) i j)
    (deltas (S l) k i * as_ l j).
Proof.
  intros E Hi Hj. apply (bp_weight (h (S l)) (h l) (tail (S l) k)); auto.
  rewrite <- zs_step. apply delta_all; lia.
Qed.

Theorem bias_all l k i : (l + S k)%nat = last -> (i < h (S l))%nat ->
  is_derive (fun t => tail (S l) k (affine (h l) (W (S l)) (upd (b (S l)) i t) (as_ l))) (b (S l) i)
    (deltas (S l) k i).
Proof.
  intros E Hi. apply (bp_bias (h (S l)) (h l) (tail (S l) k)); auto.
  rewrite <- zs_step. apply delta_all; lia.
Qed.
End Numbered.

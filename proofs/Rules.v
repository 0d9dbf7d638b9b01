(** * The rules of differentiation, for functions of one real number

    [is_derive f x l] says: f is differentiable at x, and its slope there is l. It is Coquelicot's definition, the usual
    limit of difference quotients over the real numbers. Every statement of this library is made with it.

    We never write [Derive f x = l]. Coquelicot's [Derive] is a total function: it has some value even where f has no
    derivative, so an equation about it may say nothing at all. [is_derive] always says that the derivative exists.

    Two conventions of Coq to keep in mind when reading statements: [/ 0 = 0], and [ln x = 0], [sqrt x = 0] for x <= 0.
    Division, logarithm and root are total functions there. A theorem that leans on such a value would say nothing
    about mathematics; so the theorems here carry their domain as a hypothesis, [0 < a < 1] or [z <> 0]. *)

From Coq Require Import Reals Psatz Arith.
From Coquelicot Require Import Coquelicot.
Open Scope R_scope.

(** ** Constants, the variable, sums, products, quotients, powers *)

Lemma d_const (c x : R) : is_derive (fun _ : R => c) x 0.
Proof. apply (is_derive_const (K := R_AbsRing) (V := R_NormedModule)). Qed.

Lemma d_id (x : R) : is_derive (fun t : R => t) x 1.
Proof. apply (is_derive_id (K := R_AbsRing)). Qed.

Lemma d_plus (f g : R -> R) (x a b : R) :
  is_derive f x a -> is_derive g x b -> is_derive (fun t => f t + g t) x (a + b).
Proof. intros; apply (is_derive_plus (K := R_AbsRing) (V := R_NormedModule) f g); assumption. Qed.

Lemma d_minus (f g : R -> R) (x a b : R) :
  is_derive f x a -> is_derive g x b -> is_derive (fun t => f t - g t) x (a - b).
Proof. intros; apply (is_derive_minus (K := R_AbsRing) (V := R_NormedModule) f g); assumption. Qed.

Lemma d_opp (f : R -> R) (x a : R) : is_derive f x a -> is_derive (fun t => - f t) x (- a).
Proof. intros; apply (is_derive_opp (K := R_AbsRing) (V := R_NormedModule) f); assumption. Qed.

Lemma d_mult (f g : R -> R) (x a b : R) :
  is_derive f x a -> is_derive g x b -> is_derive (fun t => f t * g t) x (a * g x + f x * b).
Proof. intros; apply Derive.is_derive_mult; assumption. Qed.

Lemma d_scal (c : R) (f : R -> R) (x a : R) : is_derive f x a -> is_derive (fun t => c * f t) x (c * a).
Proof. intros; apply is_derive_scal; assumption. Qed.

Lemma d_inv (f : R -> R) (x a : R) : is_derive f x a -> f x <> 0 -> is_derive (fun t => / f t) x (- a / f x ^ 2).
Proof. intros; apply is_derive_inv; assumption. Qed.

Lemma d_div (f g : R -> R) (x a b : R) :
  is_derive f x a -> is_derive g x b -> g x <> 0 ->
  is_derive (fun t => f t / g t) x ((a * g x - f x * b) / g x ^ 2).
Proof. intros; apply is_derive_div; assumption. Qed.

Lemma d_pow (f : R -> R) n (x a : R) :
  is_derive f x a -> is_derive (fun t => f t ^ n) x (INR n * a * f x ^ pred n).
Proof. intros; apply is_derive_pow; assumption. Qed.

(** The slope may be written in another way: [d_eq] is the step "= ... =" of a derivation. *)
Lemma d_eq (f : R -> R) (x l l' : R) : is_derive f x l -> l = l' -> is_derive f x l'.
Proof. intros H <-; exact H. Qed.

Lemma d_scal_r (c : R) (f : R -> R) (x a : R) : is_derive f x a -> is_derive (fun t => f t * c) x (a * c).
Proof. intros. eapply d_eq; [apply (d_mult f (fun _ => c)); [eassumption | apply d_const] | simpl; ring]. Qed.

(** ** The chain rule

    Slope of the outer function at the inner value, times the slope of the inner function. Backpropagation is this rule
    and nothing else, applied from the loss backwards. *)
Lemma d_comp (f g : R -> R) (x a b : R) :
  is_derive f (g x) a -> is_derive g x b -> is_derive (fun t => f (g t)) x (a * b).
Proof. intros. rewrite Rmult_comm. apply (is_derive_comp f g x a b); assumption. Qed.

(** A derivative has one value only; so a second, different value is refuted. *)
Lemma d_unique (f : R -> R) (x a b : R) : is_derive f x a -> is_derive f x b -> a = b.
Proof. intros Ha Hb. rewrite <- (is_derive_unique f x a Ha). apply (is_derive_unique f x b Hb). Qed.

(** ** Functions in pieces

    A derivative at x only looks at a neighbourhood of x. So a function that agrees with g for all t > 0 has the slope
    of g at every x > 0, whatever it does elsewhere. *)
Lemma d_right_piece (f g : R -> R) c x l :
  c < x -> (forall t, c < t -> f t = g t) -> is_derive g x l -> is_derive f x l.
Proof.
  intros Hx E Hg. apply is_derive_ext_loc with g; [| exact Hg].
  apply filter_imp with (fun t => c < t); [intros t Ht; symmetry; apply E, Ht | apply open_gt, Hx].
Qed.

Lemma d_left_piece (f g : R -> R) c x l :
  x < c -> (forall t, t < c -> f t = g t) -> is_derive g x l -> is_derive f x l.
Proof.
  intros Hx E Hg. apply is_derive_ext_loc with g; [| exact Hg].
  apply filter_imp with (fun t => t < c); [intros t Ht; symmetry; apply E, Ht | apply open_lt, Hx].
Qed.

(** Where two pieces meet with the same value and the same slope, the glued function has that slope too. This gives the
    derivative of the Huber loss at its thresholds, and of ELU with alpha = 1 at 0. *)
Lemma d_glue (f g h : R -> R) (x l : R) :
  is_derive f x l -> is_derive g x l ->
  (forall t, h t = f t \/ h t = g t) -> h x = f x -> f x = g x -> is_derive h x l.
Proof.
  intros Hf Hg Hor Hh Hfg.
  apply is_derive_Reals. apply is_derive_Reals in Hf. apply is_derive_Reals in Hg.
  intros eps Heps. destruct (Hf eps Heps) as [d1 H1]. destruct (Hg eps Heps) as [d2 H2].
  assert (Hd : 0 < Rmin d1 d2) by (apply Rmin_pos; [apply d1 | apply d2]).
  exists (mkposreal _ Hd). intros k Hk Hk'. simpl in Hk'.
  destruct (Hor (x + k)) as [E | E]; rewrite E, Hh.
  - apply H1; auto. eapply Rlt_le_trans; [exact Hk' | apply Rmin_l].
  - rewrite Hfg. apply H2; auto. eapply Rlt_le_trans; [exact Hk' | apply Rmin_r].
Qed.

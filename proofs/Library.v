(** * Everything, for files that prove one derivation: [From Backproof Require Import Library.] *)

From Backproof Require Export
  Rules Functions Scalars Activations Losses Sums Gradients Layers Softmax Normalisation Vectors Shares Attention
  Network Batches Programs Sharing Refutation.

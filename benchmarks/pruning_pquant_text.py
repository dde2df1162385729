"""The report of `pruning_pquant.py`, without its numbers."""

TEXT = """\
# Pruning beside PQuantML

{head}

## Accuracy and sparsity

Fashion-MNIST and the CNN of `pruning.md`: 10,000 samples to train on, 6 epochs of {each} steps, \
batch 128, Adam (0.002), all four kernels to 80 %. For each of {seeds} seeds all variants start \
from the same weights and see the same batches in the same order. Ours: \
`Pruning(PolynomialDecay(0.0, 0.8, 0, {end}), frequency={frequency})`, the runs of `pruning.md`. \
PQuantML: `add_compression_layers`, `train_model`, `apply_final_compression`, quantization off. \
Test accuracy in percent, mean ± standard error; differences seed by seed.

{accuracy}
What differs, beside the way of choosing weights:

- PQuantML's PDP and Wanda give every layer the same sparsity here (Wanda every filter of a \
convolution), so `scope="{same}"` is what they compare with; DST learns a threshold a weight, so \
layers differ, and `scope="{best}"` is what it compares with. PDP and Wanda are also meant to \
take a sparsity a layer from a global threshold, but under TensorFlow it does not come into \
effect: PDP stores it under a name that it does not read, and Wanda fails with it (below).
- PDP's sparsity rises by epochs, linearly, and its masks are soft until the end; ours rises by \
steps, along a cubic, and its masks are hard. DST's thresholds start at zero and are learned.
- Theirs were chosen by validation among the settings below; ours are those of `pruning.md`, \
whose scope alone was chosen that way. PDP did best where its masks close latest (1 epoch before \
the end, or at the end), ours close at three quarters: part of the difference may be that.
- DST cannot be asked for 80 %; with what was chosen it ends above it, so it has fewer weights \
left than ours has.
- The model has no softmax (its loss takes logits) and only ReLU, as PQuantML drops softmax and \
GELU. It is given as a functional model: of a `Sequential`, PQuantML leaves the first layer as it \
is, unpruned.
- There is no strip. Accuracy is that of a plain model into which their kernels and biases were \
put by hand; its logits differ from those of theirs by at most {off:g}.

## What was tried of PQuantML

Epochs without pruning, with pruning, of fine-tuning. The first {candidates} come near 80 %; they \
were tried with 2 seeds that do not see the test part, and of each method the best by mean \
validation accuracy was chosen. The rest was tried with 1 of these seeds. `dst`, `cs` and \
`autosparse` cannot be asked for a sparsity: it follows from penalties and thresholds, so the \
`alpha` of DST was searched by hand until it came near 80 %; its sparsity differs from seed to \
seed. CS came near it with less accuracy than DST and was not searched further.

{tried}
PDP's default `epsilon` 0.015 adds 1.5 % of the sparsity asked for an epoch, so it takes 67 epochs \
to get there. Wanda's `t_start_collecting_batch`, 100 by default, counts epochs, so in shorter \
trainings it never prunes. Its `calculate_pruning_budget`, on by default, makes a tensor of the \
sparsity, which fails inside `fit` if it is set before the first step; if epochs without pruning \
go before, the step is traced already and the budget is not used.

## Saved file

The `.keras` file of seed 0, loaded by `keras.saving.load_model`; *right* on the test part.

{saved}
## Step time

The same CNN, batch 128. {rounds} rounds; in each of them every variant runs one `fit` of {steps} \
steps, in an order drawn anew; the first step, which compiles, is left out. Ratios are taken \
within the round, to plain `fit` of the same model in the same process; the second plain model \
shows what chance alone makes of the ratio. PDP and DST choose their masks at every step, ours \
every {frequency} steps (or as said); Wanda chooses once, in the round that warms up, and after \
that its step still collects inputs. What is done at the end of an epoch is left out.

{times}
"""

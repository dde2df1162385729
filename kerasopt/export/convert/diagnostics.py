"""What the converter's long messages mean, in a line, and what to do about them."""

import re

_RANGELESS = r"Max and min for dynamic tensors should be recorded.*?Failed for tensor (\S+?)\.?\s*$"
_OF_KERAS = r"Exception encountered when calling (\w+\.call)\(\)\.\n(.+?)\n\s*Arguments received by"
_WHOLE_NUMBERS = (
    "The mode int16x8 asks for ranges of whole numbers too, such as indices that an Embedding "
    "looks up, and calibration has none: use `mode='int8'` or `mode='float16'`, or look up outside "
    "the model."
)

_ADVICE = (
    (
        r"TensorList|element_shape to be static",
        "A loop over time with a batch of any size does not convert: build recurrent layers with "
        "`unroll=True`, or export with `batch_size=1`; a SavedModel has to be saved with either.",
    ),
    (
        r"TF Select ops:.*Conv",
        "A convolution does not know its channels: layers such as UpSampling2D lose them where "
        "height and width may be any. Build the model with a fixed height and width.",
    ),
    (
        r"[Cc]ustom op|[Ff]lex op|Select TF ops|custom implementation",
        "TFLite has no such operation: the layer belongs outside the model, or has to be written "
        "with others.",
    ),
    (_RANGELESS, _WHOLE_NUMBERS),
    (r"INT8|int8|quantiz", "Try `mode='dynamic'` or `mode='float16'`, which ask for less."),
)


def useful(text: str) -> str:
    r"""Find the line of a long error message that says what is wrong, and the layer it is about.

    Example:
    >>> useful("Some ops are missing\nCustom ops: HashTableV2\nDetails: ...")
    'Custom ops: HashTableV2'
    >>> useful("Max and min for dynamic tensors should be recorded during calibration: "
    ...        "Failed for tensor serving_default_ids:0.")
    "input 'ids' was not seen in calibration"
    >>> useful("Exception encountered when calling Mine.call().\n\nwrong size\n\n"
    ...        "Arguments received by Mine.call():\n  • args=('x',)")
    'wrong size (in Mine.call)'
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)  # colours of a terminal
    of_keras = re.search(_OF_KERAS, text, re.DOTALL)
    if of_keras:
        return f"{useful(of_keras[2])} (in {of_keras[1]})"
    rangeless = re.search(_RANGELESS, text, re.MULTILINE)
    if rangeless:
        of_input = re.fullmatch(r"serving_default_(.+):\d+", rangeless[1])
        what = f"input {of_input[1]!r}" if of_input else repr(rangeless[1])
        return f"{what} was not seen in calibration"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for pattern in (r"^(Custom|Flex|TF Select) ops:", r"error:", r"[Ee]rror|[Ff]ailed|not "):
        for line in lines:
            if re.search(pattern, line):
                line = re.sub(r"^.*?error: ", "", line)
                line = re.sub(r"loc\(.*?\)+:?\s*", "", line)
                where = re.search(r'"([^"@]+/[^"@]+)@', text)
                line = line[:300].rstrip(" .:")
                return f"{line} (at {where[1]!r})" if where else line
    return (lines[-1] if lines else "it gave no reason")[:300].rstrip(" .:")


def advice(text: str) -> str:
    """Say what to do about a converter's message, or nothing if it is not known."""
    return next((what for one, what in _ADVICE if re.search(one, text, re.MULTILINE)), "")


def advice_on_trace(text: str, batch: int | None) -> str:
    """Say what to do where TensorFlow could not trace the model.

    Args:
        text: Its message.
        batch: The fixed batch, or `None` for any.
    """
    if "as a Python `bool`" in text:
        where = re.search(r"when calling (\w+)\.call", text)
        return (
            f"{where[1] if where else 'A layer'} decides by a size that is not known yet: build "
            "the model with fixed sizes (`keras.Input` without `None`)."
        )
    return (
        "The model must take its inputs as one argument and work on a batch of "
        f"{batch or 'any'} samples."
    )


def advice_on_crash(mode: str) -> str:
    """Say what to do where the converter crashed."""
    if mode in ("int8", "int16x8"):
        return (
            "Calibration crashes on loops (build recurrent layers with `unroll=True`) and on "
            "numbers outside float32: try `mode='dynamic'` or `mode='float16'`, which need none."
        )
    return "Export parts of the model to find the layer that it does not bear."

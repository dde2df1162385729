"""Answers questions about tfmot, one JSON line each, in a process that runs Keras 2."""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
from tensorflow_model_optimization.python.core.sparsity.keras import pruning_impl


def schedule_of(question):
    kind = getattr(tfmot.sparsity.keras, question["schedule"])
    return kind(**question["arguments"])


def mask(question):
    """Give the mask that tfmot would choose for weights at one sparsity."""
    weights = tf.Variable(np.array(question["weights"], np.float32))
    pruning = pruning_impl.Pruning(
        training_step_fn=lambda: 0,
        pruning_vars=[],
        pruning_schedule=tfmot.sparsity.keras.ConstantSparsity(question["sparsity"], 0),
        block_size=question.get("block", [1, 1]),
        block_pooling_type=question.get("pooling", "AVG"),
        sparsity_m_by_n=question.get("m_by_n"),
    )
    return pruning._maybe_update_block_mask(weights)[1].numpy().astype(int).tolist()


def values(question):
    """Give (should update, sparsity) of a schedule at steps."""
    schedule = schedule_of(question)
    found = [schedule(tf.constant(step, tf.int64)) for step in question["steps"]]
    return [[bool(update), float(value)] for update, value in found]


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        answer = {"mask": mask, "values": values}[asked["what"]](asked)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()

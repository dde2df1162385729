#!/usr/bin/env bash
# Keras 3.15.1 reads the `.h5` files of Keras 2, where "hard_sigmoid" is 0.2 x + 0.5; in Keras 3 it
# is x / 6 + 0.5, and the model computes other outputs. No error, no warning.
# Seen 2026-11-30 on Linux x86-64 with Python 3.11, TensorFlow 2.21.0, tf-keras 2.21.0.
. "$(dirname "$0")/_venv.bash" keras==3.15.1 tf-keras==2.21.0 tensorflow==2.21.0
python - <<'PY'
import sys
import warnings

import keras
import numpy as np
import tf_keras

print("keras", keras.__version__, "tf-keras", tf_keras.__version__)
values = np.random.default_rng(0).normal(size=(16, 4)).astype("float32")
found = {}
for name in ("sigmoid", "hard_sigmoid"):
    tf_keras.utils.set_random_seed(0)
    dense = tf_keras.layers.Dense(8, activation=name)
    old = tf_keras.Sequential([tf_keras.Input((4,)), dense])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the age of the format
        old.save("old.h5", save_format="h5")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        new = keras.models.load_model("old.h5", compile=False)
    off = np.abs(new.predict(values, verbose=0) - old.predict(values, verbose=0)).max()
    print(f"Dense with {name}: outputs differ by up to {off:.2g}, {len(said)} warnings")
    found[name] = off > 0.01
if found != {"sigmoid": False, "hard_sigmoid": True}:
    sys.exit("changed")
PY

"""Search for the best small CNN on Fashion-MNIST, stop bad trials early, look at the result.

Run: python examples/tune_fashion_mnist.py

The search is kept in the folder `tune-fashion-mnist`: stop it with Ctrl-C, start it again, and it
goes on. Without network put Fashion-MNIST into a Keras cache and name that in KERAS_HOME, or take
scikit-learn's handwritten digits with DATASET=digits.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from sklearn.datasets import load_digits

from kerasopt.tuning import search, suggest_hypermodel


def data():
    """Give 6,000 images for training and 2,000 to choose by, or the digits."""
    if os.environ.get("DATASET") == "digits":
        x, y = load_digits(return_X_y=True)
        x = x.reshape(-1, 8, 8, 1).astype("float32")
        return (x[:1300], y[:1300]), (x[1300:], y[1300:])
    (x, y), _ = keras.datasets.fashion_mnist.load_data()
    return (x[:6000, ..., None], y[:6000]), (x[6000:8000, ..., None], y[6000:8000])


if __name__ == "__main__":  # workers import this file
    (x, y), held = data()
    hypermodel = suggest_hypermodel(x, y)
    print(hypermodel.why, end="\n\n")
    found = search(
        hypermodel,
        x,
        y,
        validation_data=held,
        objective="val_accuracy",
        max_trials=int(os.environ.get("TRIALS", "12")),
        epochs=int(os.environ.get("EPOCHS", "9")),
        pruner="asha",
        seed=0,
        workers=int(os.environ.get("WORKERS", "1")),
        fit={"batch_size": 64},
        project_name="tune-fashion-mnist",
    )
    print(found, end="\n\n")
    accuracy = found.best_model.evaluate(*held, verbose=0)[1]
    print(f"the best model again: val_accuracy {accuracy:.4f}, {found.best_values}")
    print("report:", found.save_report("tune-fashion-mnist/report"))

"""Half the multiplications, removed for good: plan, shrink, fine-tune with a teacher, export."""

import keras
from sklearn.datasets import load_digits

from kerasopt.distillation import OutputDistiller
from kerasopt.export import to_tflite
from kerasopt.structured import shrink_plan

keras.utils.set_random_seed(0)
x, y = load_digits(return_X_y=True)
x, layers = x.reshape(-1, 8, 8, 1).astype("float32") / 16, keras.layers
train, test = slice(0, 1400), slice(1400, None)

inputs = keras.Input((8, 8, 1))
z = layers.Conv2D(32, 3, padding="same", use_bias=False, name="stem")(inputs)
z = layers.ReLU()(layers.BatchNormalization()(z))
for number in (1, 2):  # two residual blocks: what they add is tied to the stem
    r = layers.Conv2D(32, 3, padding="same", use_bias=False, name=f"conv_{number}a")(z)
    r = layers.ReLU()(layers.BatchNormalization()(r))
    r = layers.Conv2D(32, 3, padding="same", use_bias=False, name=f"conv_{number}b")(r)
    z = layers.ReLU()(layers.Add()([z, layers.BatchNormalization()(r)]))
outputs = layers.Dense(10, activation="softmax", name="kind")(layers.GlobalAveragePooling2D()(z))
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x[train], y[train], epochs=12, verbose=0)

plan = shrink_plan(model, budget={"macs": 0.5}, data=x[train], batches=32, reconstruct=True)
print(plan)
small = plan.apply()
distiller = OutputDistiller(model, small)
distiller.compile("adam", "sparse_categorical_crossentropy")
distiller.fit(x[train], y[train], epochs=12, verbose=0)

for name, one in (("whole", model), ("small", small)):
    file = to_tflite(one, f"digits-{name}.tflite", validation_data=x[test])
    right = (file.predict(x[test]).argmax(-1) == y[test]).mean()
    cost = file.report.cost
    print(
        f"{name}: accuracy {right:.3f}, {cost.file_bytes:,} bytes, {cost.latency.median_ms:.4f} ms"
    )

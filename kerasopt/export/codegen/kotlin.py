"""Kotlin for LiteRT on Android."""

import re
from collections.abc import Sequence

from kerasopt.export.codegen.parts import Source, Value, block, quoted, values

_KEYWORDS = re.findall(
    r"\w+",
    """as break class continue do else false for fun if in interface is null object package return
    super this throw true try typealias typeof val var when while""",
)
_TAKEN = ["arrayOf", "inputs", "interpreter", "it", "level", "mapOf", "model", "mutableMapOf",
          "native", "one", "outputs", "read"]  # fmt: skip

# Kind -> the type in Kotlin, how `{x}` is put into a buffer, and how it is read from a buffer `b`.
_VIEWS = [("float32", 4, "Float"), ("float64", 8, "Double"), ("int16", 2, "Short"),
          ("int32", 4, "Int"), ("int64", 8, "Long")]  # fmt: skip
_BYTES = (
    "ByteArray",
    "native({x}.size) {{ it.put({x}) }}",
    "ByteArray(b.remaining()).also {{ x -> b.get(x) }}",
)
_KINDS = {
    "int8": _BYTES,
    "uint8": _BYTES,
    "bool": (
        "BooleanArray",
        "native({x}.size) {{ for (one in {x}) it.put((if (one) 1 else 0).toByte()) }}",
        "BooleanArray(b.remaining()) {{ b.get(it).toInt() != 0 }}",
    ),
    **{
        kind: (
            f"{view}Array",
            f"native({size} * {{x}}.size) {{{{ it.as{view}Buffer().put({{x}}) }}}}",
            f"{view}Array(b.remaining() / {size}).also {{{{ x -> b.as{view}Buffer().get(x) }}}}",
        )
        for kind, size, view in _VIEWS
    },
    **{
        f"quantized {kind}": (
            "FloatArray",
            f"native({{x}}.size{times}) {{{{\n                for (one in {{x}}) {put}"
            f"(level(one, {{scale}}f, {{zero}}, {{least}}, {{most}}).{to}())\n            }}}}",
            f"FloatArray(b.remaining(){part}) {{{{ ({get} - ({{zero}})) * {{scale}}f }}}}",
        )
        for kind, times, put, to, part, get in (
            ("int8", "", "it.put", "toByte", "", "b.get(it)"),
            ("uint8", "", "it.put", "toByte", "", "(b.get(it).toInt() and 255)"),
            ("int16", " * 2", "it.putShort", "toShort", " / 2", "b.getShort(2 * it)"),
        )
    },
}

# What TensorBuffer reads and writes; it has nothing for other types.
_BUFFERS = {"float32": "Float", "int32": "Int", "int64": "Long", "int8": "Int8", "bool": "Boolean"}
_QUANTIZED = {
    "put": "ByteArray({x}.size) {{ level({x}[it], {scale}f, {zero}, {least}, {most}).toByte() }}",
    "get": ".let {{ b -> FloatArray(b.size) {{ (b[it] - ({zero})) * {scale}f }} }}",
}

_COMPILED = """\
// %(file)s on Android: put it into app/src/main/assets. The build.gradle.kts needs
//   android { androidResources { noCompress += "tflite" } }
//   dependencies { implementation("com.google.ai.edge.litert:litert:2.3.2") }
import android.content.Context
import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel

/** Runs the model, on the GPU if that is asked for; one thread at a time. */
class %(name)s(context: Context, gpu: Boolean = false) : AutoCloseable {
    /** What one run gives, row by row. */
    class Outputs(
%(fields)s
    )

    private val model = CompiledModel.create(
        context.assets,
        %(asset)s,
        // What the GPU does not run stays on the CPU.
        if (gpu) CompiledModel.Options(Accelerator.GPU, Accelerator.CPU)
        else CompiledModel.Options(Accelerator.CPU),
    )
    private val inputs = mapOf(
%(into)s
    )
    private val outputs = mapOf(
%(out)s
    )

    /**
     * Runs it on a batch of %(batch)s, given row by row.
     *
%(about)s
     */
    fun run(%(arguments)s): Outputs {
%(put)s
        model.run(inputs, outputs, %(key)s)
        return Outputs(
%(get)s
        )
    }

    override fun close() {
        (inputs.values + outputs.values).forEach { it.close() }
        model.close()
    }
%(companion)s
}
"""
# Version 1.4.2 is the last one of a line made for the Interpreter; 2.1 has it for the CPU alone.
_CLASS = """\
// %(file)s on Android: put it into app/src/main/assets. The build.gradle.kts needs
//   android { androidResources { noCompress += "tflite" } }
//   dependencies { implementation("com.google.ai.edge.litert:litert:1.4.2") }
// It runs on the CPU: LiteRT's CompiledModel, which has the GPU, does not take %(why)s.
import android.content.Context
import java.io.FileInputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel
import org.tensorflow.lite.Interpreter

/** Runs the model; one thread at a time. */
class %(name)s(context: Context) : AutoCloseable {
    /** What one run gives, row by row. */
    class Outputs(
%(fields)s
    )

    private val interpreter = Interpreter(mapped(context))
%(sized)s
    /**
     * Runs it on a batch of %(batch)s, given row by row.
     *
%(about)s
     */
    fun run(%(arguments)s): Outputs {
        val inputs = mapOf<String, Any>(
%(put)s
        )
        interpreter.runSignature(inputs, mutableMapOf<String, Any>(), %(key)s)
        return Outputs(
%(get)s
        )
    }

    override fun close() = interpreter.close()

    private fun read(name: String): ByteBuffer =
        interpreter.getOutputTensorFromSignature(name, %(key)s)
            .asReadOnlyBuffer().order(ByteOrder.nativeOrder())

    companion object {
%(constants)s
        private fun mapped(context: Context): ByteBuffer =
            context.assets.openFd(%(asset)s).use { asset ->
                FileInputStream(asset.fileDescriptor).channel.use {
                    it.map(FileChannel.MapMode.READ_ONLY, asset.startOffset, asset.declaredLength)
                }
            }

        private fun native(bytes: Int, fill: (ByteBuffer) -> Unit): ByteBuffer {
            val buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())
            fill(buffer)
            buffer.rewind()
            return buffer
        }
%(helpers)s
    }
}
"""
_LEVEL = """
        private fun level(x: Float, scale: Float, zero: Int, least: Int, most: Int): Int =
            (Math.rint((x / scale).toDouble()) + zero)
                .coerceIn(least.toDouble(), most.toDouble()).toInt()"""
_LABEL = """
        /** Gives the label of the largest number. */
        fun label(numbers: FloatArray): String =
            LABELS[numbers.indices.maxByOrNull { numbers[it] }!!]"""


def render(source: Source) -> str:
    """Write the class: for `CompiledModel`, or else for `Interpreter`, where that is not enough.

    Raises:
        ValueError: If an input or output is of a type that Kotlin has no array of.
    """
    inputs = values(source.call.inputs, _KEYWORDS + _TAKEN, _KINDS)
    outputs = values(source.call.outputs, _KEYWORDS, _KINDS)
    levels = any(one.port.scale is not None for one in inputs)
    common: dict[str, str | list[str]] = {
        "file": source.file,
        "name": source.name,
        "asset": _text(source.file),
        "key": _text(source.call.key),
        "batch": source.batch,
        "fields": [
            f"        /** {one.about} */\n        val {one.name}: {_type(one)}," for one in outputs
        ],
        "about": [f"     * @param {one.name} {one.about}" for one in inputs],
        "arguments": ", ".join(f"{one.name}: {_type(one)}" for one in inputs),
    }
    constants, helpers = _constants(source, inputs, outputs), [_LEVEL] if levels else []
    why = _unfit([*inputs, *outputs])
    if why:
        return block(
            _CLASS,
            **common,
            why=why,
            sized=_sized(inputs),
            put=[f"            {_text(one.port.name)} to {_put(one)}," for one in inputs],
            get=[
                f"            {one.name} = read({_text(one.port.name)}).let {{ b ->\n"
                f"                {one.filled(_KINDS[one.kind][2])}\n            }},"
                for one in outputs
            ],
            constants=constants,
            helpers=helpers,
        )
    return block(
        _COMPILED,
        **common,
        into=[_buffer(one, "Input", source) for one in inputs],
        out=[_buffer(one, "Output", source) for one in outputs],
        put=[f"        inputs.getValue({_text(one.port.name)}).{_write(one)}" for one in inputs],
        get=[
            f"            {one.name} = outputs.getValue({_text(one.port.name)}).{_read(one)},"
            for one in outputs
        ],
        companion=_companion(constants, helpers),
    )


def _unfit(found: Sequence[Value]) -> str:
    """Say what `CompiledModel` does not take of the inputs and outputs; nothing if it takes all."""
    for one in found:
        if one.port.dtype not in _BUFFERS or one.kind == "quantized int32":
            return f"{one.port.dtype}"
        if one.constants:
            return "axes of any size"
    return ""


def _buffer(one: Value, which: str, source: Source) -> str:
    name = _text(one.port.name)
    return f"        {name} to model.create{which}Buffer({name}, {_text(source.call.key)}),"


def _write(one: Value) -> str:
    given = one.name if one.port.scale is None else one.filled(_QUANTIZED["put"])
    return f"write{_BUFFERS[one.port.dtype]}({given})"


def _read(one: Value) -> str:
    numbers = "" if one.port.scale is None else one.filled(_QUANTIZED["get"])
    return f"read{_BUFFERS[one.port.dtype]}(){numbers}"


def _companion(constants: list[str], helpers: list[str]) -> list[str]:
    if not constants and not helpers:
        return []
    inside = "\n".join([*constants, *helpers]).strip("\n")
    return ["", "    companion object {", inside, "    }"]


def _sized(inputs: Sequence[Value]) -> list[str]:
    free = [
        f"        interpreter.resizeInput({place}, intArrayOf({', '.join(one.sizes)}))"
        for place, one in enumerate(inputs)
        if one.constants
    ]
    if not free:
        return [""]
    return ["", "    init {", *free, "        interpreter.allocateTensors()", "    }", ""]


def _constants(source: Source, inputs: Sequence[Value], outputs: Sequence[Value]) -> list[str]:
    names = [name for one in inputs for name in one.constants]
    lines = [f"        const val {name} = 1 // any size will do: set yours" for name in names]
    if source.labels:
        labels = [f"            {_text(label)}," for label in source.labels]
        lines += ["        val LABELS = listOf(", *labels, "        )"]
        lines += [_LABEL] if [_type(one) for one in outputs] == ["FloatArray"] else []
    return [*lines, ""] if lines else []


def _type(one: Value) -> str:
    return _KINDS[one.kind][0]


def _put(one: Value) -> str:
    return one.filled(_KINDS[one.kind][1])


def _text(text: str) -> str:
    return quoted(text, "\\u%04x", "$")

"""Kotlin for LiteRT on Android."""

import re
from collections.abc import Sequence

from kerasopt.export.snippet_parts import Source, Value, block, quoted, values

_KEYWORDS = re.findall(
    r"\w+",
    """as break class continue do else false for fun if in interface is null object package return
    super this throw true try typealias typeof val var when while""",
)
_TAKEN = ["inputs", "interpreter", "it", "level", "mapOf", "mutableMapOf", "native", "one", "read"]

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

# Version 1.4.2 is the last one of a line made for the Interpreter; 2.1 has it for the CPU alone.
_CLASS = """\
// %(file)s on Android: put it into app/src/main/assets. The build.gradle.kts needs
//   android { androidResources { noCompress += "tflite" } }
//   dependencies { implementation("com.google.ai.edge.litert:litert:1.4.2") }
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
    """Write the class.

    Raises:
        ValueError: If an input or output is of a type that Kotlin has no array of.
    """
    inputs = values(source.call.inputs, _KEYWORDS + _TAKEN, _KINDS)
    outputs = values(source.call.outputs, _KEYWORDS, _KINDS)
    levels = any(one.port.scale is not None for one in inputs)
    return block(
        _CLASS,
        file=source.file,
        name=source.name,
        asset=_text(source.file),
        key=_text(source.call.key),
        batch=source.batch,
        fields=[
            f"        /** {one.about} */\n        val {one.name}: {_type(one)}," for one in outputs
        ],
        sized=_sized(inputs),
        about=[f"     * @param {one.name} {one.about}" for one in inputs],
        arguments=", ".join(f"{one.name}: {_type(one)}" for one in inputs),
        put=[f"            {_text(one.port.name)} to {_put(one)}," for one in inputs],
        get=[
            f"            {one.name} = read({_text(one.port.name)}).let {{ b ->\n"
            f"                {one.filled(_KINDS[one.kind][2])}\n            }},"
            for one in outputs
        ],
        constants=_constants(source, inputs, outputs),
        helpers=[_LEVEL] if levels else [],
    )


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

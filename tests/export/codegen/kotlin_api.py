"""What the generated Kotlin calls, as declarations: enough for a compiler to check the calls.

The names and types of `com.google.ai.edge.litert` are those of litert/kotlin/src/main/kotlin in the
repository google-ai-edge/LiteRT (release 2.3), those of `org.tensorflow.lite` of its Interpreter
1.4, the rest Android's.
"""

DECLARATIONS = {
    "Context.kt": """package android.content
abstract class Context { abstract val assets: android.content.res.AssetManager }
""",
    "AssetManager.kt": """package android.content.res
class AssetManager { fun openFd(name: String): AssetFileDescriptor = TODO() }
class AssetFileDescriptor : java.io.Closeable {
    val fileDescriptor: java.io.FileDescriptor = TODO()
    val startOffset: Long = 0
    val declaredLength: Long = 0
    override fun close() {}
}
""",
    "Interpreter.kt": """package org.tensorflow.lite
class Tensor { fun asReadOnlyBuffer(): java.nio.ByteBuffer = TODO() }
class Interpreter(model: java.nio.ByteBuffer) : AutoCloseable {
    fun resizeInput(index: Int, sizes: IntArray) {}
    fun allocateTensors() {}
    fun runSignature(inputs: Map<String, Any>, outputs: Map<String, Any>, key: String) {}
    fun getOutputTensorFromSignature(name: String, key: String): Tensor = TODO()
    override fun close() {}
}
""",
    "CompiledModel.kt": """package com.google.ai.edge.litert
enum class Accelerator { NONE, CPU, GPU, NPU }
class TensorBuffer internal constructor() : AutoCloseable {
    fun writeInt(data: IntArray) {}
    fun writeFloat(data: FloatArray) {}
    fun writeInt8(data: ByteArray) {}
    fun writeBoolean(data: BooleanArray) {}
    fun writeLong(data: LongArray) {}
    fun readInt(): IntArray = TODO()
    fun readFloat(): FloatArray = TODO()
    fun readInt8(): ByteArray = TODO()
    fun readBoolean(): BooleanArray = TODO()
    fun readLong(): LongArray = TODO()
    override fun close() {}
}
class Environment
class CompiledModel private constructor() : AutoCloseable {
    class Options(val accelerators: Set<Accelerator>) {
        constructor(vararg accelerators: Accelerator) : this(setOf(*accelerators))
    }
    fun createInputBuffer(inputName: String, signature: String? = null): TensorBuffer = TODO()
    fun createOutputBuffer(outputName: String, signature: String? = null): TensorBuffer = TODO()
    fun run(inputs: Map<String, TensorBuffer>, outputs: Map<String, TensorBuffer>,
            signature: String? = null) {}
    override fun close() {}
    companion object {
        fun create(assetManager: android.content.res.AssetManager, assetName: String,
                   options: Options = Options(Accelerator.CPU),
                   optionalEnv: Environment? = null): CompiledModel = TODO()
    }
}
""",
}

"""Swift for TensorFlow Lite on iOS."""

import re
from collections.abc import Sequence
from pathlib import Path

from kerasopt.export.codegen.parts import Source, Value, block, quoted, values

_KEYWORDS = re.findall(
    r"\w+",
    """associatedtype class deinit enum extension fileprivate func import init inout internal let
    open operator private protocol public rethrows static struct subscript typealias var break case
    continue default defer do else fallthrough for guard if in repeat return switch where while as
    Any catch false is nil super self Self throw throws true try Type""",
)
_TAKEN = ["array", "invoke", "level", "read"]

# Kind -> the type in Swift, how `{x}` becomes Data, and what is made of the Data `{d}`.
_PLAIN = {"float32": "Float", "float64": "Double", "int8": "Int8", "uint8": "UInt8",
          "int16": "Int16", "int32": "Int32", "int64": "Int64", "bool": "Bool"}  # fmt: skip
_LEVEL_OF = "level($0, {scale}, {zero}, {least}, {most})"
_REAL = "Float(Int({q}) - ({{zero}})) * {{scale}}"
_KINDS = {
    **{
        kind: (f"[{name}]", "{x}.withUnsafeBytes {{ Data($0) }}", "array({d})")
        for kind, name in _PLAIN.items()
    },
    "quantized int8": (
        "[Float]",
        f"Data({{x}}.map {{{{ UInt8(bitPattern: Int8({_LEVEL_OF})) }}}})",
        f"{{d}}.map {{{{ {_REAL.format(q='Int8(bitPattern: $0)')} }}}}",
    ),
    "quantized uint8": (
        "[Float]",
        f"Data({{x}}.map {{{{ UInt8({_LEVEL_OF}) }}}})",
        f"{{d}}.map {{{{ {_REAL.format(q='$0')} }}}}",
    ),
    "quantized int16": (
        "[Float]",
        f"{{x}}.map {{{{ Int16({_LEVEL_OF}) }}}}.withUnsafeBytes {{{{ Data($0) }}}}",
        f"(array({{d}}) as [Int16]).map {{{{ {_REAL.format(q='$0')} }}}}",
    ),
}

# Swift's `Tensor` does not know int8: to read one as an output is an error there.
_UNKNOWN = "int8"

_CLASS = """\
// %(file)s on iOS: add it to the app's target. The Podfile needs
//   pod 'TensorFlowLiteSwift'
import Foundation
import %(module)s

/// Runs the model; one thread at a time.
final class %(name)s {
  /// What one run gives, row by row.
  struct Outputs {
%(fields)s
  }

%(constants)s
%(engine)s
  /// Runs it on a batch of %(batch)s, given row by row.
  ///
  /// - Parameters:
%(about)s
  func run(%(arguments)s) throws -> Outputs {
    try invoke([
%(put)s
    ])
    return try Outputs(
%(get)s
    )
  }
%(helpers)s
}
"""
_BY_SWIFT = """\
  private let runner: SignatureRunner

  init(bundle: Bundle = .main) throws {
    guard let path = bundle.path(forResource: %(stem)s, ofType: %(suffix)s)
    else { throw CocoaError(.fileNoSuchFile) }
    let interpreter = try Interpreter(modelPath: path)
    runner = try interpreter.signatureRunner(with: %(key)s)
%(sized)s
    try runner.allocateTensors()
  }

  private func invoke(_ inputs: [String: Data]) throws {
    try runner.invoke(with: inputs)
  }

  private func read(_ name: String) throws -> Data {
    try runner.output(named: name).data
  }
"""
_BY_C = """\
  // Swift's Tensor does not know int8: this is the C library that the pod brings along.
  private var model, interpreter, runner: OpaquePointer?

  enum Failure: Error { case load, input(String), run, output(String) }

  init(bundle: Bundle = .main) throws {
    guard let path = bundle.path(forResource: %(stem)s, ofType: %(suffix)s)
    else { throw CocoaError(.fileNoSuchFile) }
    model = TfLiteModelCreateFromFile(path)
    guard model != nil else { throw Failure.load }
    interpreter = TfLiteInterpreterCreate(model, nil)
    guard interpreter != nil else { throw Failure.load }
    runner = TfLiteInterpreterGetSignatureRunner(interpreter, %(key)s)
    guard runner != nil else { throw Failure.load }
%(sized)s
    guard TfLiteSignatureRunnerAllocateTensors(runner) == kTfLiteOk
    else { throw Failure.load }
  }

  deinit {
    if let runner { TfLiteSignatureRunnerDelete(runner) }
    if let interpreter { TfLiteInterpreterDelete(interpreter) }
    if let model { TfLiteModelDelete(model) }
  }

  private func invoke(_ inputs: [String: Data]) throws {
    for (name, data) in inputs {
      guard let tensor = TfLiteSignatureRunnerGetInputTensor(runner, name),
        data.withUnsafeBytes({
          TfLiteTensorCopyFromBuffer(tensor, $0.baseAddress, data.count)
        }) == kTfLiteOk
      else { throw Failure.input(name) }
    }
    guard TfLiteSignatureRunnerInvoke(runner) == kTfLiteOk else { throw Failure.run }
  }

  private func read(_ name: String) throws -> Data {
    guard let tensor = TfLiteSignatureRunnerGetOutputTensor(runner, name),
      let bytes = TfLiteTensorData(tensor)
    else { throw Failure.output(name) }
    return Data(bytes: bytes, count: TfLiteTensorByteSize(tensor))
  }
"""
_ARRAY = """
  private func array<Element>(_ data: Data) -> [Element] {
    let size = data.count / MemoryLayout<Element>.stride
    return [Element](unsafeUninitializedCapacity: size) { buffer, count in
      _ = data.copyBytes(to: buffer)
      count = size
    }
  }"""
_LEVEL = """
  private func level(
    _ x: Float, _ scale: Float, _ zero: Float, _ least: Float, _ most: Float
  ) -> Int {
    Int(min(most, max(least, (x / scale).rounded(.toNearestOrEven) + zero)))
  }"""
_LABEL = """
  /// Gives the label of the largest number.
  static func label(_ numbers: [Float]) -> String {
    labels[numbers.indices.max { numbers[$0] < numbers[$1] }!]
  }"""


def render(source: Source) -> str:
    """Write the class.

    Raises:
        ValueError: If an input or output is of a type that Swift has no array of.
    """
    inputs = values(source.call.inputs, _KEYWORDS + _TAKEN, _KINDS)
    outputs = values(source.call.outputs, _KEYWORDS, _KINDS)
    bare = any(one.port.dtype == _UNKNOWN for one in outputs)
    get = [one.filled(_KINDS[one.kind][2], d=f"read({_text(one.port.name)})") for one in outputs]
    helpers = [_ARRAY] if any("array(" in one for one in get) else []
    helpers += [_LEVEL] if any(one.port.scale is not None for one in inputs) else []
    engine = block(
        _BY_C if bare else _BY_SWIFT,
        stem=_text(Path(source.file).stem),
        suffix=_text(Path(source.file).suffix[1:]),
        key=_text(source.call.key),
        sized=[_sized(one, bare) for one in inputs if one.constants],
    )
    return block(
        _CLASS,
        file=source.file,
        name=source.name,
        module="TensorFlowLiteC" if bare else "TensorFlowLite",
        batch=source.batch,
        fields=[f"    /// {one.about}\n    let {one.name}: {_type(one)}" for one in outputs],
        constants=_constants(source, inputs, outputs, "Int32" if bare else "Int"),
        engine=[engine],
        about=[f"  ///   - {one.name}: {one.about}" for one in inputs],
        arguments=", ".join(f"{one.name}: {_type(one)}" for one in inputs),
        put=[f"      {_text(one.port.name)}: {one.filled(_KINDS[one.kind][1])}," for one in inputs],
        get=[",\n".join(f"      {one.name}: {how}" for one, how in zip(outputs, get, strict=True))],
        helpers=helpers,
    )


def _sized(one: Value, bare: bool) -> str:
    sizes = [f"Self.{size}" if size in one.constants else size for size in one.sizes]
    name, shape = _text(one.port.name), f"[{', '.join(sizes)}]"
    if bare:
        call = f"TfLiteSignatureRunnerResizeInputTensor(runner, {name}, {shape}, {len(one.sizes)})"
        return f"    {call}"
    return f"    try runner.resizeInput(named: {name}, toShape: {shape})"


def _constants(
    source: Source, inputs: Sequence[Value], outputs: Sequence[Value], size: str
) -> list[str]:
    names = [name for one in inputs for name in one.constants]
    lines = [f"  static let {name}: {size} = 1  // any size will do: set yours" for name in names]
    if source.labels:
        labels = [f"    {_text(label)}," for label in source.labels]
        lines += ["  static let labels = [", *labels, "  ]"]
        lines += [_LABEL] if [_type(one) for one in outputs] == ["[Float]"] else []
    return [*lines, ""] if lines else []


def _type(one: Value) -> str:
    return _KINDS[one.kind][0]


def _text(text: str) -> str:
    return quoted(text, "\\u{%x}")

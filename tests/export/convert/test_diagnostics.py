from kerasopt.export.convert.diagnostics import advice, useful


def test_useful_line():
    text = (
        '<unknown>:0: error: loc(callsite("a" at "b")): \'tf.X\' op is neither a custom op nor a '
        "flex op\n<unknown>:0: note: see"
    )
    assert useful(text) == "'tf.X' op is neither a custom op nor a flex op"
    assert useful("") == "it gave no reason"
    assert "unroll" in advice("requires element_shape to be static during")
    assert not advice("something else")

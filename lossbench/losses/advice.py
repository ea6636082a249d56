"""Advice on common mistakes in a user's loss, in place of the messages of TensorFlow and Keras."""

from __future__ import annotations

import re
from textwrap import shorten

LONGEST = 240
"""Characters of a message without advice."""

ADVICE = {
    r"as a Python `bool`|truth value of an array": (
        "`if`, `while`, `and`, `or`, `max` and `min` of Python cannot decide on a tensor: use "
        "ops.where(condition, a, b), ops.maximum or ops.minimum"
    ),
    r"Iterating over a symbolic|len is not well defined for a symbolic": (
        "a Python loop cannot run over a tensor in the compiled training step: compute all images at once, "
        "e.g. with ops.sum(x, axis=-1)"
    ),
    r"has no attribute 'numpy'|to a numpy array": (
        "NumPy cannot compute with the tensors of the compiled training step: use ops instead, e.g. ops.log for np.log"
    ),
    r"real number, not '?SymbolicTensor|int\(\) argument .*'SymbolicTensor'": (
        "float(), int() and the functions of math cannot take a tensor in the compiled training step: use ops instead, "
        "e.g. ops.exp for math.exp"
    ),
    r"only supports singleton tf\.Variables|create variables on a non-first call": (
        "it creates a variable in every call: create it once, at the top of the file or in the constructor"
    ),
    r"module '(?:\w+\.)*backend' has no attribute '(\w+)'": (
        r"Keras 3 has no backend.\1: use the function of ops (keras.ops) instead, e.g. ops.mean for K.mean"
    ),
    r"has no attribute 'Reduction'": (
        "Keras 3 has no Reduction: leave `reduction` out, as lossbench averages over the images"
    ),
    r"must be Tensor, not \S*(?:Eager|Symbolic)?Tensor": (
        "PyTorch cannot compute with TensorFlow's tensors: use ops (keras.ops) instead, e.g. ops.log for torch.log"
    ),
    r"unsupported format string passed to \S*Tensor": (
        "a tensor has no number to format in the compiled training step: print it with tf.print"
    ),
    r"does not support item assignment": (
        "a tensor cannot be changed in place: compute a new one, e.g. with ops.where(condition, a, b)"
    ),
    r"(?:'\S*EagerTensor'|'SymbolicTensor') object has no attribute '(\w+)'": (
        r"a TensorFlow tensor has no attribute '\1': use a function of ops (keras.ops) instead"
    ),
    r"(?:expected to be an? (\w+) tensor but is an? (\w+) tensor|"
    r"has type (\w+) that does not match type (\w+))": (
        r"it mixes the dtypes \1\3 and \2\4: y_true and y_pred are float32; cast other tensors with "
        'ops.cast(x, "float32")'
    ),
}
"""Pattern in the message of an error -> sentence that says what to do."""


def explain(error: BaseException) -> str:
    """Return an error in a user's code as one sentence, with advice on a common mistake.

    Args:
        error: The error.

    Returns:
        Advice, or the type and the shortened message of the error.
    """
    words = error.msg if isinstance(error, SyntaxError) else str(error)
    for pattern, advice in ADVICE.items():
        if match := re.search(pattern, words):
            return match.expand(re.sub(r"\\(\d)", r"\\g<\1>", advice))
    plain = re.sub(r"\{\{.*?\}\} ?|\[Op:.*", "", " ".join(words.split())).strip()
    return f"{type(error).__name__}: {shorten(plain, LONGEST, placeholder=' …')}".removesuffix(": ")

"""The networks that a user could pick instead, as functions that predict; each imports its library itself."""

import logging
import tempfile
import warnings
from pathlib import Path

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

warnings.simplefilter("ignore", ConvergenceWarning)  # speed is measured, after an epoch or two
logging.disable(logging.WARNING)  # quantize_dynamic recommends a preprocessing that these graphs need not


def multilayer_perceptron(width):
    """scikit-learn's float network, three hidden layers, for one epoch."""
    return MLPClassifier((width,) * 3, batch_size=128, max_iter=1, random_state=0)


def onnx_runtime(mlp, threads, *, int8=False):
    """Predict function of a fitted MLPClassifier under ONNX Runtime, by choice with int8 dynamic quantization."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime.quantization import quantize_dynamic

    nodes, constants, last = [], [], "X"
    for i, (weights, bias) in enumerate(zip(mlp.coefs_, mlp.intercepts_, strict=True)):
        constants += [numpy_helper.from_array(weights, f"W{i}"), numpy_helper.from_array(bias, f"b{i}")]
        nodes.append(helper.make_node("MatMul", [last, f"W{i}"], [f"product{i}"]))
        nodes.append(helper.make_node("Add", [f"product{i}", f"b{i}"], [f"sum{i}"]))
        nodes.append(helper.make_node("Relu", [f"sum{i}"], [f"h{i}"]))
        last = f"h{i}"
    nodes[-1] = helper.make_node("ArgMax", [f"sum{i}"], ["label"], axis=1, keepdims=0)
    inputs = [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, len(mlp.coefs_[0])])]
    outputs = [helper.make_tensor_value_info("label", TensorProto.INT64, [None])]
    graph = helper.make_graph(nodes, "mlp", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    with tempfile.TemporaryDirectory() as folder:
        path, quantized = Path(folder, "float32.onnx"), Path(folder, "int8.onnx")
        onnx.save(model, path)
        if int8:
            quantize_dynamic(path, quantized)
        session = onnxruntime.InferenceSession(quantized if int8 else path, options, ["CPUExecutionProvider"])
    return lambda X: session.run(None, {"X": X})[0]


def exported(binary, threads):
    """Predict function of a fitted BinaryMLPClassifier under ONNX Runtime."""
    import onnxruntime

    from skbnn.export import to_onnx

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    written = to_onnx(binary).SerializeToString()
    session = onnxruntime.InferenceSession(written, options, ["CPUExecutionProvider"])
    return lambda X: session.run(["label"], {"X": X})[0]


def larq_network(width, n_features, threads):
    """Binary network of the same shape in Larq, float32 underneath; batch normalization, weights untrained."""
    import larq
    import tensorflow as tf
    from larq.layers import QuantDense

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    binary = {"kernel_quantizer": "ste_sign", "kernel_constraint": larq.constraints.WeightClip(), "use_bias": False}
    model = tf.keras.Sequential([tf.keras.layers.Input(n_features)])
    for units in (width, width, width, 10):
        model.add(QuantDense(units, input_quantizer="ste_sign", **binary))
        model.add(tf.keras.layers.BatchNormalization())
    return model


def larq_predict(width, n_features, threads):
    """Predict function of a network in Larq."""
    import tensorflow as tf

    model = larq_network(width, n_features, threads)
    compiled = tf.function(lambda X: tf.argmax(model(X, training=False), axis=1))
    return lambda X: compiled(tf.constant(X)).numpy()


def larq_epoch(width, X, y, threads, batch_size=128):
    """Function that trains a network in Larq for one epoch by Adam."""
    import tensorflow as tf

    model = larq_network(width, X.shape[1], threads)
    model.compile("adam", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return lambda: model.fit(X, y, batch_size, verbose=0)


def torch_network(mlp, threads):
    """Predict function of a fitted MLPClassifier under torch."""
    import torch

    torch.set_num_threads(threads)
    layers = []
    for weights, bias in zip(mlp.coefs_, mlp.intercepts_, strict=True):
        linear = torch.nn.Linear(*weights.shape)
        linear.load_state_dict({"weight": torch.tensor(weights.T.copy()), "bias": torch.tensor(bias)})
        layers += [linear, torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1]).eval()

    @torch.inference_mode()
    def predict(X):
        return network(torch.from_numpy(X)).argmax(1).numpy()

    return predict


def torch_epoch(width, X, y, threads, batch_size=128):
    """Function that trains a torch network with batch normalization for one epoch by Adam."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    X, y = torch.from_numpy(X), torch.from_numpy(y.astype("int64"))
    layers = []
    for n_inputs in (X.shape[1], width, width):
        layers += [nn.Linear(n_inputs, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Linear(width, 10))
    optimizer, loss = torch.optim.Adam(network.parameters()), nn.CrossEntropyLoss()

    def epoch():
        for rows in torch.randperm(len(X)).split(batch_size):
            optimizer.zero_grad()
            loss(network(X[rows]), y[rows]).backward()
            optimizer.step()

    return epoch

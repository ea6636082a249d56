"""Data sets known by name.

A data set of four IDX files is one entry of `DATASETS`. `data.sources` reads the files, and downloads them once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN_FILES = "idx"
"""The name of a data set that is a folder of the user's."""

IMAGE_SHAPE = (28, 28)
"""Height and width of the images of all data sets known by name."""


@dataclass(frozen=True)
class Source:
    """A data set known by name.

    Attributes:
        title: Its full name.
        class_counts: Number of training images of each class; the labels count from 0.
        checksums: SHA-256 of each of the four files by file name: training images, training labels, test images, test
            labels.
        base_url: Address of the files' folder, ending with a slash; None: they are in the package, in `data/<name>/`.
        sha256: `Arrays.sha256` of the four files, so that naming a run needs no reading; None: not known yet, the
            files are read for it.
        transposed: Rows and columns of the images are exchanged in the files.
        test_images: Number of test images.
        confusions: The class that asymmetric label noise takes a class for; empty: there is no such noise.
        licence: Licence of the files.
        citation: Authors year, title, DOI or arXiv id.
    """

    title: str
    class_counts: tuple[int, ...]
    checksums: Mapping[str, str]
    licence: str
    citation: str
    base_url: str | None = None
    sha256: str | None = None
    transposed: bool = False
    test_images: int = 10_000
    confusions: Mapping[int, int] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_counts)

    @property
    def train_images(self) -> int:
        """Number of training images."""
        return sum(self.class_counts)


DATASETS: Final[Mapping[str, Source]] = MappingProxyType(
    {
        "mnist": Source(
            title="MNIST",
            class_counts=(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
            checksums={
                "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            },
            sha256="b2d8f5bf39174ee5ffeefa97e42d673c35432b411bb5d1f74fbbeddae7f1690a",
            confusions={7: 1, 2: 7, 5: 6, 6: 5, 3: 8},  # Patrini et al. 2017, Ma et al. 2020
            licence="CC BY-SA 3.0",
            citation="LeCun, Bottou, Bengio and Haffner 1998, Gradient-based learning applied to document recognition, "
            "doi:10.1109/5.726791",
        ),
        "fashion_mnist": Source(
            title="Fashion-MNIST",
            class_counts=(6000,) * 10,
            base_url="https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            checksums={
                "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            },
            sha256="14410854cf7a289477dcfc7df3f8ec24741e281cdcc425ede0d9a748ca630214",
            licence="MIT",
            citation="Xiao, Rasul and Vollgraf 2017, Fashion-MNIST: a novel image dataset for benchmarking machine "
            "learning algorithms, arXiv:1708.07747",
        ),
        "kmnist": Source(  # checksums: tensorflow/datasets, tensorflow_datasets/url_checksums/kmnist.txt
            title="Kuzushiji-MNIST",
            class_counts=(6000,) * 10,
            base_url="https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            checksums={
                "train-images-idx3-ubyte.gz": "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                "train-labels-idx1-ubyte.gz": "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                "t10k-images-idx3-ubyte.gz": "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                "t10k-labels-idx1-ubyte.gz": "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            },
            licence="CC BY-SA 4.0",
            citation="Clanuwat, Bober-Irizar, Kitamoto, Lamb, Yamamoto and Ha 2018, Deep learning for classical "
            "Japanese literature, arXiv:1812.01718",
        ),
    }
)

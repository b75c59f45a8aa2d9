"""Wrong requests: status 2, one short message with the key, the value and what to do, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.support.processes import ROOT, Command

WRONG = [
    # words of the command, what the message must name
    (["model=lama7b"], ["model=lama7b", "did you mean llama7b"]),
    (["objective=none"], ["objective=none", "src.track"]),
    (["objective=harmles"], ["objective=harmles", "did you mean harmless"]),
    (["tda=rips"], ["tda=rips", "vietoris_rips"]),
    (["experiment=smok"], ["experiment=smok", "smoke"]),
    (["trainer.max_step=3"], ["trainer.max_step", "did you mean trainer.max_steps"]),
    (["modl=tiny"], ["modl", "model"]),
    (["+trainer.speed=3"], ["trainer.speed", "no such key"]),
    (["trainer.max_steps=abc"], ["trainer.max_steps=abc", "Integer"]),
    (["trainer.max_steps=-3"], ["trainer.max_steps=-3", "at least 1"]),
    (["trainer.max_steps=[1"], ["trainer.max_steps=[1", "quote"]),
    (["trainer.learning_rate=-1"], ["trainer.learning_rate=-1", "at least 0"]),
    (["trainer.micro_batch_size=3"], ["trainer.micro_batch_size=3", "trainer.batch_size=8"]),
    (["schedule.lag=400"], ["schedule.lag=400", "trainer.max_steps=240"]),
    (["schedule.lag=soon"], ["schedule.lag=soon", "a whole number, or auto"]),
    (["schedule.lag=0"], ["schedule.lag=0", "at least 1"]),
    (["schedule.lag=1.5"], ["schedule.lag=1.5"]),
    (
        ["schedule.lag=auto", "schedule=list", "schedule.steps=[0,4]"],
        ["schedule.lag=auto", "schedule=list", "a number"],
    ),
    (["schedule.lag=auto", "tda=none"], ["schedule.lag=auto", "tda=none", "give a number"]),
    (
        ["schedule.lag=auto", "tda.weight_draws=3", "tda.weight_steps=[0]"],
        ["tda.weight_steps=[0]", "schedule.lag=auto"],
    ),
    (["schedule=list"], ["schedule.steps=[]", "for example"]),
    (["schedule=list", "schedule.steps=[[1]]"], ["schedule.steps=[[1]]", "a plain list"]),
    (["tda.allow=[[0]]"], ["tda.allow=[[0]]", "a plain list"]),
    (["schedule=list", "schedule.steps=[0,239]"], ["schedule.steps=[0, 239]", "238"]),
    (["schedule.early=2147483648"], ["schedule.early=2147483648", "at most 100000"]),
    (["schedule=every", "schedule.interval=1", "trainer.max_steps=1000000"], ["schedule.interval=1", "raise it"]),
    (["probe.size=7"], ["probe.size=7", "even"]),
    (["probe.file=nowhere.txt"], ["probe.file=nowhere.txt", "one prompt per line"]),
    (["objective.dialogues=jsonl"], ["objective.dialogues=jsonl", "objective.data_dir"]),
    (["objective.dialogues=web"], ["objective.dialogues=web", "jsonl"]),
    (["probe.precision=half"], ["probe.precision=half", "must be one of"]),
    (["tda=h2", "tda.points=-1"], ["tda.points=-1", "at least 3"]),
    (["tda.points=300"], ["tda.points=300", "probe.size=256"]),
    (["tda.points=5"], ["tda.points=5", "a subsample is half of them", "tda.subsamples=0"]),
    (["tda.subsamples=1"], ["tda.subsamples=1", "give 0, or at least 2"]),
    (["tda.null_draws=-3"], ["tda.null_draws=-3", "at least 0"]),
    (["tda.weight_draws=1"], ["tda.weight_draws=1", "give 0, or at least 2"]),
    (["tda.weight_draws=-3"], ["tda.weight_draws=-3", "at least 0"]),
    (["tda=none", "tda.weight_draws=3"], ["tda.weight_draws=3", "tda=none measures nothing", "choose a method"]),
    (["tda.weight_steps=[0]"], ["tda.weight_steps=[0]", "without tda.weight_draws", "give both or neither"]),
    (["tda.weight_draws=3", "tda.weight_steps=[]"], ["tda.weight_steps=[]", "give some"]),
    (
        ["experiment=smoke", "tda.weight_draws=3", "tda.weight_steps=[0,4,5]"],
        ["tda.weight_steps=[0, 4, 5]", "no checkpoint at 4, 5", "0, 1, 2, 7, 12, 17, 22"],
    ),
    (["tda.weight_draws=3", "tda.weight_steps=[3]", "schedule=every", "schedule.interval=0"], ["schedule.interval=0"]),
    (
        ["adapter=full", "tda.weight_draws=3", "model.parameters=1e13", "model.width=1", "model.blocks=1"],
        ["tda.weight_draws=3", "adapter=full", "3 copies", "111758.7 GiB", "are free", "adapter=lora"],
    ),
    (["tda.transformer._target_=os.system"], ["tda.transformer._target_=os.system", "gtda."]),
    (["objective.data_dir=nowhere"], ["objective.data_dir=nowhere", "no such folder"]),
    (["objective.weights.helpful=0"], ["objective.weights", "above 0"]),
    (["seed=-1"], ["seed=-1", "at least 0"]),
    (["seed=99999999999999999999"], ["seed=99999999999999999999", "at most 4294967295"]),
    (["objective=helpful,harmless"], ["objective=helpful,harmless: several values; add -m for a sweep", "quote"]),
    (["seed=range(0,3)"], ["seed=range(0,3)", "add -m for a sweep"]),
    (["tracking.experiment=''"], ["tracking.experiment=: must be a name, not empty"]),
    (["model.name=' '"], ["model.name= : must be a name, not empty"]),
    (["model.name=../x", "objective.name=/x"], ["model.name=../x: must be a name of letters", "objective.name=/x"]),
    (["-m", "seed=interval(0,3)"], ["seed=interval(0,3)", "list them (seed=0,1,2)", "range(0,3)"]),
    (["tda=none", "-m", "seed=-1"], ["seed=-1: must be at least 0"]),
    (["adapter=qlora"], ["adapter=qlora", "lora"]),
    (["adapter.resume=nowhere"], ["adapter.resume=nowhere", "no such folder", "adapter_config.json"]),
    (["adapter.targets=[]"], ["adapter.targets=[]", "[q_proj,v_proj]"]),
    (["adapter=full", "adapter.targets=[q_proj]"], ["adapter.targets=['q_proj']", "use adapter=lora"]),
    (["adapter.rank=0"], ["adapter.rank=0", "at least 1"]),
    (["schedule=dense"], ["schedule=dense", "dense_early"]),
    (["schedule.repeats=0"], ["schedule.repeats=0", "at least 1"]),
    (["probe.template=html"], ["probe.template=html", "plain, chat"]),
    (["probe.pooling=max"], ["probe.pooling=max", "last, mean"]),
    (["trainer.lr_schedule=step"], ["trainer.lr_schedule=step", "constant, linear, cosine"]),
    (["trainer.precision=fp8"], ["trainer.precision=fp8", "bfloat16"]),
    (["tda=h2", "probe.size=3000", "tda.max_memory_gb=8"], ["tda.points=3000", "GiB", "tda.max_memory_gb=8", "fit"]),
    (["tda.max_memory_gb=0"], ["tda.max_memory_gb=0", "above 0"]),
    (["tda.metric=manhattan"], ["tda.metric=manhattan", "cosine"]),
    (["tda.metric=cosine", "~tda.transformer.metric"], ["tda.metric=cosine", "takes points"]),
    (["tda=none", "tda.second_metric=standardized"], ["tda.second_metric=standardized", "tda=none", "choose a method"]),
    (["tda.metric=standardized", "tda.second_metric=standardized"], ["tda.second_metric=standardized", "drop one"]),
    (["tda.second_metric=cosine"], ["tda.second_metric=cosine", "auto, none, standardized"]),
    (["objective.held_out=1"], ["objective.held_out=1", "below 1"]),
    (["objective.dialogues=embedded", "objective.data_dir=."], ["objective.dialogues=embedded", "drop one"]),
    (["model=local"], ["model.path", "is not set"]),
    (["model=local", "model.path=./nowhere"], ["model.path=./nowhere", "no such folder"]),
]
# These are found only where model and data are read, so they wait for torch.
WRONG_LATE = [
    (["probe.precision=tf32"], ["probe.precision=tf32", "no TF32", "auto or float32"]),
    (["probe.size=4000"], ["probe.size=4000", "objective.held_out"]),
    (["probe.max_length=4000"], ["probe.max_length=4000", "512"]),
    (["model=local", "model.path=."], ["model.path=.", "config.json"]),
    (["model=local", "model.path=embedded:huge"], ["embedded:huge", "tiny_instruct"]),
    (["tracking.uri=http://127.0.0.1:9"], ["tracking.uri=http://127.0.0.1:9", "start the server"]),
]


@pytest.mark.parametrize(
    ("words", "named"),
    [*WRONG, *(pytest.param(*case, marks=pytest.mark.slow) for case in WRONG_LATE)],
    ids=lambda value: " ".join(value) if value else "",
)
def test_a_wrong_request_gets_one_message(command: Command, tmp_path: Path, words: list[str], named: list[str]) -> None:
    done = command("src.run", *words)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    for part in named:
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 3, done.stderr
    assert len(done.stderr) < 600
    # Hydra makes the empty folder that everything goes to; nothing may be in it.
    assert not list((tmp_path / "multirun").glob("[!.]*"))


def test_the_traceback_comes_back_on_request(command: Command) -> None:
    for words, env in ((["probe.size=7"], {"HYDRA_FULL_ERROR": "1"}), (["probe.size=7", "debug=true"], {})):
        assert "Traceback" in command("src.run", *words, **env).stderr


def test_one_wrong_cell_of_a_sweep_sets_the_status(command: Command) -> None:
    done = command("src.run", "-m", "seed=-1,-2")
    assert done.returncode == 2
    assert "seed=-1" in done.stderr
    assert "seed=-2" in done.stderr


@pytest.mark.slow
def test_a_malformed_line_is_named_by_file_and_number(command: Command, tmp_path: Path) -> None:
    good = '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}]}'
    (tmp_path / "helpful.jsonl").write_text(f'{good}\n{{"text": "Hi"}}\n')
    done = command("src.run", "objective.dialogues=jsonl", "objective.data_dir=.")
    assert done.returncode == 2
    for part in ("objective.data_dir", "helpful.jsonl: line 2", "chosen"):
        assert part in done.stderr
    assert len(done.stderr.splitlines()) <= 3, done.stderr
    assert not list((tmp_path / "multirun").glob("[!.]*"))


@pytest.mark.slow
def test_a_file_that_is_no_text_is_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "helpful.jsonl.gz").write_bytes(b"no gzip")
    done = command("src.run", "objective.dialogues=jsonl", "objective.data_dir=.")
    assert done.returncode == 2
    assert "helpful.jsonl.gz" in done.stderr
    assert "gzip" in done.stderr
    (tmp_path / "probes.txt").write_bytes(b"\xff\xfe\n" * 80)
    done = command("src.run", "probe.file=probes.txt")
    assert done.returncode == 2
    assert "probe.file=probes.txt" in done.stderr
    assert "UTF-8" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("key", ["probe.template", "objective.template"])
def test_a_missing_chat_template_is_named(command: Command, shared_data: Path, key: str) -> None:
    done = command("src.run", "model=local", f"model.path={shared_data}/models/stories260k", f"{key}=chat")
    assert done.returncode == 2
    assert f"{key}=chat: the tokenizer of local has no chat template; use {key}=plain" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture(scope="module")
def refusing_hub() -> Iterator[str]:
    """A server that answers as the hub does where a model is gated or not there."""

    class Refuse(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            gated = "/meta-llama/" in self.path
            self.send_response(403 if gated else 404)
            self.send_header("X-Error-Code", "GatedRepo" if gated else "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["model=llama7b"], ["model.path=meta-llama/Llama-2-7b-hf", "gated", "licence", "HF_TOKEN"]),
        (["model=local", "model.path=nobody/nothing"], ["model.path=nobody/nothing", "not a valid model identifier"]),
    ],
)
def test_what_the_hub_refuses_is_named(
    command: Command, refusing_hub: str, tmp_path: Path, words: list[str], named: list[str]
) -> None:
    done = command("src.run", *words, HF_ENDPOINT=refusing_hub, HF_HOME=str(tmp_path / "hub"))
    assert done.returncode == 2
    for part in [*named, "model=local model.path=<folder>"]:
        assert part in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not list((tmp_path / "multirun").glob("[!.]*"))


@pytest.mark.slow
def test_the_main_command_says_what_a_gated_model_needs(command: Command, tmp_path: Path) -> None:
    done = command("src.run", "model=llama7b", "objective=harmless", HF_HUB_OFFLINE="1")
    assert done.returncode == 2
    for needed in (
        "model.path=meta-llama/Llama-2-7b-hf",
        "network",
        "access token",
        "licence",
        "model=local model.path",
    ):
        assert needed in done.stderr
    assert len(done.stderr) < 900
    assert not list((tmp_path / "multirun").glob("[!.]*"))


@pytest.mark.parametrize("flag", ["--help", "--cfg=job", "--info=all"])
@pytest.mark.parametrize(
    "module", ["src.run", "src.analyze", "src.track", "src.compare", "src.preview", "src.sync", "src.ui"]
)
def test_hydras_own_flags_work_on_every_command(command: Command, module: str, flag: str) -> None:
    done = command(module, *flag.split("="))
    assert done.returncode == 0, done.stderr
    assert "tracking" in done.stdout


def test_composing_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = ["torch", "transformers", "gtda", "gph", "mlflow", "lightning", "peft", "datasets", "pandas", "numpy"]
    script = (
        "import sys, runpy, atexit\n"
        f"atexit.register(lambda: print('HEAVY', [m for m in {heavy} if m in sys.modules], file=sys.stderr))\n"
        "sys.argv = ['run', '--cfg', 'job', 'model=llama7b', 'objective=harmless']\n"
        "runpy.run_module('src.run', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}
    )
    assert "HEAVY []" in done.stderr
    assert "name: llama7b" in done.stdout


@pytest.mark.parametrize("environment", [{"WORLD_SIZE": "2", "RANK": "0"}, {"SLURM_STEP_NUM_TASKS": "4"}])
def test_several_processes_at_once_are_refused(command: Command, environment: dict[str, str]) -> None:
    (key, count), *_ = environment.items()
    done = command("src.run", "-m", "seed=0,1", **environment)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{key}={count}: this is one of {count} processes")
    assert "hydra/launcher=submitit_slurm" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert command("src.run", "-m", "seed=0,1", WORLD_SIZE="2", RANK="1").stderr == "", "the first one says it"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["hydra/launcher=slurm"], ["hydra/launcher=slurm", "submitit_slurm"]),
        (["hydra/launcher=submitit_slurm", "hydra.launcher.timeout_min=long"], ["hydra.launcher.timeout_min=long"]),
        (["hydra/launcher=joblib", "hydra.launcher.jobs=3"], ["hydra.launcher.jobs", "no such key"]),
    ],
    ids=lambda words: " ".join(words),
)
def test_a_wrong_launcher_gets_one_message(command: Command, words: list[str], named: list[str]) -> None:
    done = command("src.run", "-m", *words)
    assert done.returncode == 2
    for part in named:
        assert part in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_a_sweep_with_a_wrong_cell_starts_none(command: Command, tmp_path: Path) -> None:
    done = command("src.run", "-m", "model=tiny,tiny_instruct", "trainer.micro_batch_size=8,3", "tda=none")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"model={model} trainer.micro_batch_size=3: trainer.micro_batch_size=3: must divide trainer.batch_size=8"
        for model in ("tiny", "tiny_instruct")
    ]
    assert not list(tmp_path.rglob("status.json"))


def test_a_folder_that_cannot_be_written_is_named(command: Command, tmp_path: Path) -> None:
    (tmp_path / "multirun").write_text("a file, where a folder should be")
    done = command("src.run", "experiment=smoke", "tda=none")
    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path}/multirun: cannot be written (")
    assert len(done.stderr.splitlines()) == 1

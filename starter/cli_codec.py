"""evenhand codec serve: the Temporal UI shows payloads to who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli import REFUSED
from starter.show import complain, out

if TYPE_CHECKING:  # the server is imported only by the command that runs it
    from starter.codec_sign_in import SignIn
    from worker.settings import Settings

codec_app = typer.Typer(no_args_is_help=True, help="What the Temporal UI needs to show sealed payloads.")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@codec_app.callback()
def _codec() -> None:
    """What the Temporal UI needs to show sealed payloads."""


@codec_app.command()
def serve(
    host: Annotated[str, typer.Option(help="Where to listen; elsewhere than here only with a provider to sign in at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8234,
) -> None:
    """Open sealed payloads for people who are signed in, each reading noted, until Ctrl-C."""
    import uvicorn

    from records.keys import keys_of_engine
    from starter.cli_case import _engine
    from starter.clock import now
    from starter.codec_server import Codec, app_of
    from worker.settings import Settings

    settings = Settings.local()
    sign_in, origin = _sign_in(settings, host), settings.codec_origin or f"http://127.0.0.1:{settings.ui_port}"
    engine = _engine()
    codec = Codec(keys=keys_of_engine(engine), engine=engine, sign_in=sign_in, clock=now, origin=origin)
    out.print(f"Codec server for {origin}: http://{host}:{port}", markup=False)
    token = getattr(sign_in, "token", None)
    if token:
        out.print(f"Sign in once in the UI's browser: http://{host}:{port}/sign-in?token={token}", markup=False, soft_wrap=True)
    uvicorn.run(
        app_of(codec), host=host, port=port, log_level="warning", access_log=False, server_header=False, limit_concurrency=200,
        timeout_keep_alive=5,
    )  # fmt: skip


def _sign_in(settings: Settings, host: str) -> SignIn:
    """Returns how people sign in; a token of this start stands in only where everything is on this machine."""
    from starter.codec_sign_in import Local, Oidc

    if settings.codec_issuer and settings.codec_audience:
        claim = settings.codec_claim or settings.oidc_person_claim
        return Oidc(settings.codec_issuer, settings.codec_audience, claim=claim, group=settings.codec_group)
    signs_in = settings.codec_issuer or settings.codec_audience or settings.oidc_issuer
    if signs_in or settings.production or host not in LOOPBACK:
        complain("Set EVENHAND_CODEC_ISSUER and EVENHAND_CODEC_AUDIENCE: payloads are shown only to people who are signed in.")
        raise typer.Exit(REFUSED)
    return Local()

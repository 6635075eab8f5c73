"""An AsyncSSH server: prints its port, lets one key in, runs commands with sh. Ends with its stdin."""
import asyncio
import sys

import asyncssh

host_key, authorized = sys.argv[1:3]


async def serve(process):
    child = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        process.command or ":",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
    await process.stdout.drain()
    process.exit(await child.wait())


async def main():
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        authorized_client_keys=authorized,
        process_factory=serve,
        encoding=None,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())

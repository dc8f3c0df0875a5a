"""The town that the load is about: who asks, who answers, and what is asked; the same for the same number."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any

import httpx

from shared.contracts.fields import uscc

SOURCES = 5
HOT_ENTERPRISES = 3
HOT_SHARE = 0.3
AT_ONCE = 8
TRIES = 40
# The offers of one category run out within an hour of work, so that a clock set forward finds some; the others last.
SHORT = "窗口服务/限时"
CATEGORIES = ("基础设施/道路交通", "人才/补贴", "金融/对接", "安全生产/隐患", "环境/市容")
SHORT_SHARE = 0.02
CATALOGUE = "\n".join(
    (
        "规则编号,类别,关键词,诉求类型,园区,企业层级,紧急程度,主办部门,协办部门,难易,定级,签收时限(工作小时),办结时限(工作日),说明",
        f"R001,{SHORT},,,,,,D-1,,简单,,1,,",
        *(
            f"R{number:03d},{category},,,,,,D-{number % 4 + 1},D-{(number + 1) % 4 + 1},复杂,,100,15,"
            for number, category in enumerate(CATEGORIES, 2)
        ),
        "R999,,,,,,,D-4,,简单,,100,,其他",
    )
)


@dataclass(frozen=True, slots=True)
class Town:
    """`enterprises` firms looked after by `liaisons` people. `run` tells the submissions of one run from another's."""

    run: str
    enterprises: int = 200
    liaisons: int = 40

    def enterprise(self, number: int) -> str:
        body = f"91310117MA2{number:06d}"
        return body + uscc.check_character(body)

    def name(self, number: int) -> tuple[str, str]:
        """The (source, source_ref) of a submission."""
        return f"https://sender-{number % SOURCES}.example/{self.run}", f"{self.run}-{number}"

    def submission(self, number: int) -> dict[str, Any]:
        """A submission: a third of them come from a few enterprises, so that some rows are hot."""
        chance = random.Random(f"{self.run}/{number}")  # noqa: S311 - reproducible
        hot = chance.random() < HOT_SHARE
        enterprise = chance.randrange(HOT_ENTERPRISES if hot else self.enterprises)
        source, source_ref = self.name(number)
        category = SHORT if chance.random() < SHORT_SHARE else chance.choice(CATEGORIES)
        return {
            "source": source,
            "source_ref": source_ref,
            "channel": "system",
            "kind": chance.choice(("ask", "help", "complaint", "suggestion")),
            "category": category,
            "requester": {
                "kind": "enterprise",
                "id": self.enterprise(enterprise),
                "name": f"云杉精密{enterprise}号",
            },
            "summary": f"园区北门道路积水 {number}",
            "detail": "雨后积水,货车无法进出。" * chance.randint(1, 8),
        }

    def directory(self) -> list[list[tuple[str, dict[str, Any]]]]:
        """What is put where, in the order in which each names what was put before."""
        departments = [(f"departments/D-{n}", {"name": f"科室{n}"}) for n in range(1, 5)]
        liaisons = [
            (
                f"liaisons/L{n:03d}",
                # The last one is soon full, so that deputies and desks get their share.
                {
                    "name": f"专员{n}",
                    "department_id": f"D-{n % 4 + 1}",
                    "capacity": 1_000_000 if n else 50,
                },
            )
            for n in range(self.liaisons)
        ]
        firms = [
            (
                f"enterprises/{self.enterprise(n)}",
                {"name": f"云杉精密{n}号", "park": f"{n % 6}园", "industry": "机械"},
            )
            for n in range(self.enterprises)
        ]
        ties = [(f"ties/T{n}", self._tie(n, n, "primary")) for n in range(self.enterprises)]
        deputies = [
            (f"ties/U{n}", self._tie(n, n + 1, "deputy")) for n in range(0, self.enterprises, 3)
        ]
        return [departments, liaisons, firms, ties + deputies]

    def _tie(self, enterprise: int, liaison: int, role: str) -> dict[str, Any]:
        return {
            "uscc": self.enterprise(enterprise),
            "liaison_id": f"L{liaison % self.liaisons:03d}",
            "role": role,
            "from": "2024-01-01",
        }

    async def settle_in(self, address: str) -> None:
        """Put the directory and the dispatch catalogue into routing at `address`."""
        headers = {"authorization": "Bearer C001"}
        async with httpx.AsyncClient(base_url=address, headers=headers, timeout=20) as client:
            room = asyncio.Semaphore(AT_ONCE)

            async def put(path: str, body: dict[str, Any]) -> None:
                async with room:
                    await _done(client, "PUT", f"/routing/{path}", json=body)

            for entries in self.directory():
                await asyncio.gather(*(put(path, body) for path, body in entries))
            drafted = await _done(
                client,
                "POST",
                "/routing/catalogue/versions",
                content=CATALOGUE.encode(),
                headers={"content-type": "text/csv"},
            )
            version = drafted.json()["version"]
            await _done(client, "POST", f"/routing/catalogue/versions/{version}/activate", json={})


async def _done(
    client: httpx.AsyncClient, method: str, path: str, **content: Any
) -> httpx.Response:
    for _ in range(TRIES):
        answer = await client.request(method, path, **content)
        if answer.status_code != 503:
            break
        await asyncio.sleep(0.25)
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
    return answer

// What both TypeScript clients share: the request, the wait for its offer, and the line that is checked.
const env = process.env as Record<string, string>

export const submission = (name: string) => ({
  source: `https://one-stop.example/${name}`,
  source_ref: env.REF,
  channel: 'web' as const,
  kind: 'help' as const,
  requester: { kind: 'enterprise' as const, id: env.FIRM, name: env.FIRM_NAME },
  summary: '园区北门道路积水',
  detail: '雨后积水约二十厘米,货车无法进出。',
})

type Item = { matter_id: string; offer_id: string }

export async function offeredIn(matter: string, queue: () => Promise<Item[]>): Promise<string> {
  for (let tries = 0; tries < 100; tries += 1) {
    const found = (await queue()).find((item) => item.matter_id === matter)
    if (found) return found.offer_id
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('not offered within 20 s')
}

type Problem = { type: string; errors?: { pointer: string }[] | null }

export function said(status: number, receipt: string, state: string, listed: boolean, problem: Problem): void {
  const pointer = problem.errors?.[0]?.pointer
  console.log(JSON.stringify({ status, receipt, state, listed, problem: problem.type, pointer }))
}

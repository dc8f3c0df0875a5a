// Plays a request to its first feedback by the client of @hey-api/openapi-ts.
import { createClient } from './hey/client'
import { acceptOffer, getQueue, giveFeedback, listMatters, submitRequest } from './hey/sdk.gen'
import type { Submission } from './hey/types.gen'
import { offeredIn, said, submission } from './said'

const env = process.env as Record<string, string>
const as = (role: string) => createClient({ baseUrl: env.ORIGIN, auth: () => env[role] })
const system = as('SYSTEM')
const liaison = as('LIAISON')

const body = submission('hey') satisfies Submission
const answer = await submitRequest({ client: system, body })
const taken = answer.data!
const offer = await offeredIn(taken.request_id, async () =>
  (await getQueue({ client: liaison, path: { party: 'me' }, query: { limit: 200 } })).data!.items)
await acceptOffer({ client: liaison, path: { offer_id: offer }, throwOnError: true })
const told = await giveFeedback({
  client: liaison, path: { matter_id: taken.request_id }, body: { text: '已派人查看' }, throwOnError: true })
const listed = await listMatters({ client: liaison, query: { limit: 200 }, throwOnError: true })
const refused = await submitRequest({ client: system, body: { ...body, summary: '' } })
said(answer.response!.status, taken.receipt, told.data.state,
  listed.data.items.some((each) => each.matter_id === taken.request_id), refused.error!)

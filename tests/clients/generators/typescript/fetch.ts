// Plays a request to its first feedback by the types of openapi-typescript and the client openapi-fetch.
import createClient from 'openapi-fetch'
import type { components, paths } from './schema'
import { offeredIn, said, submission } from './said'

const env = process.env as Record<string, string>
const as = (role: string) =>
  createClient<paths>({ baseUrl: env.ORIGIN, headers: { authorization: `Bearer ${env[role]}` } })
const system = as('SYSTEM')
const liaison = as('LIAISON')

const body = submission('fetch') satisfies components['schemas']['Submission']
const answer = await system.POST('/intake/requests', { body })
const taken = answer.data!
const offer = await offeredIn(taken.request_id, async () =>
  (await liaison.GET('/routing/queues/{party}', {
    params: { path: { party: 'me' }, query: { limit: 200 } } })).data!.items)
await liaison.POST('/routing/offers/{offer_id}/accept', { params: { path: { offer_id: offer } } })
const told = await liaison.POST('/followup/matters/{matter_id}/feedback', {
  params: { path: { matter_id: taken.request_id } }, body: { text: '已派人查看' } })
const listed = await liaison.GET('/followup/matters', { params: { query: { limit: 200 } } })
const refused = await system.POST('/intake/requests', { body: { ...body, summary: '' } })
said(answer.response.status, taken.receipt, told.data!.state,
  listed.data!.items.some((each) => each.matter_id === taken.request_id), refused.error!)

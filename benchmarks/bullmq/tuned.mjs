// The same by somebody who knows where the time goes: a hundred at a time, a lean HTTP client, one prepared statement,
// jobs that are forgotten when they are done. Started twice.
import { Worker } from 'bullmq'
import IORedis from 'ioredis'
import pg from 'pg'
import { Agent } from 'undici'
import { question, recordAtOnce, solvedOnDay } from './evaluation.mjs'

const CONCURRENCY = 100
const limit = Number(process.env.BENCH_LIMIT)
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 })
const { origin, pathname } = new URL(process.env.LEETCODE_URL)
const agent = new Agent({ connections: CONCURRENCY, keepAliveTimeout: 60_000 })
const connection = new IORedis(process.env.REDIS_URL, { maxRetriesPerRequest: null })
const headers = { 'content-type': 'application/json', referer: 'https://leetcode.com' }

async function evaluate({ data: job }) {
  const request = { origin, path: pathname, method: 'POST', headers, body: question(job.handle) }
  const { statusCode, body } = await agent.request(request)
  if (statusCode !== 200) throw new Error(`HTTP ${statusCode}`)
  await recordAtOnce(pool, job, solvedOnDay(await body.json(), job))
}

const worker = new Worker('evaluations', evaluate, {
  connection,
  concurrency: CONCURRENCY,
  ...(limit && { limiter: { max: limit, duration: 1000 } }),
})
worker.on('failed', (job, error) => console.error(job?.id, error))
worker.on('error', (error) => console.error(error))

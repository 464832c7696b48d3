// A worker as a team writes it: one job a member, ten at a time, one request and one transaction each.
import { Worker } from 'bullmq'
import IORedis from 'ioredis'
import pg from 'pg'
import { Agent, fetch } from 'undici'
import { question, record, solvedOnDay } from './evaluation.mjs'

const CONCURRENCY = 10
const limit = Number(process.env.BENCH_LIMIT) // requests a second; 0 where there is none
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: CONCURRENCY })
const agent = new Agent({ keepAliveTimeout: 60_000 })
const connection = new IORedis(process.env.REDIS_URL, { maxRetriesPerRequest: null })

async function evaluate({ data: job }) {
  const response = await fetch(process.env.LEETCODE_URL, {
    method: 'POST',
    headers: { 'content-type': 'application/json', referer: 'https://leetcode.com' },
    body: question(job.handle),
    dispatcher: agent,
  })
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  await record(pool, job, solvedOnDay(await response.json(), job))
}

const worker = new Worker('evaluations', evaluate, {
  connection,
  concurrency: CONCURRENCY,
  ...(limit && { limiter: { max: limit, duration: 1000 } }),
})
worker.on('failed', (job, error) => console.error(job?.id, error))
worker.on('error', (error) => console.error(error))

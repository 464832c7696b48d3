// Adds a job for each member of a challenge: node enqueue.mjs CHALLENGE [forget]
// Jobs that are done are kept for a day, unless they are to be forgotten.
import { Queue } from 'bullmq'
import IORedis from 'ioredis'
import pg from 'pg'

const CHUNK = 1000 // jobs in one addBulk
const database = new pg.Client({ connectionString: process.env.DATABASE_URL })
await database.connect()
const { rows } = await database.query(
  `SELECT m.id, m.handle, c.day::text, c.day_start, c.day_end, c.min_solves, c.penalty
   FROM members m JOIN challenges c ON c.id = m.challenge_id WHERE c.id = $1 ORDER BY m.id`,
  [process.argv[2]],
)
await database.end()
const connection = new IORedis(process.env.REDIS_URL, { maxRetriesPerRequest: null })
const queue = new Queue('evaluations', { connection })
const jobs = rows.map((row) => ({
  name: 'member-evaluation',
  data: {
    memberId: row.id,
    handle: row.handle,
    day: row.day,
    dayStart: Number(row.day_start),
    dayEnd: Number(row.day_end),
    minSolves: row.min_solves,
    penalty: Number(row.penalty),
  },
  opts: {
    attempts: 3,
    backoff: { type: 'exponential', delay: 5000 },
    removeOnComplete: process.argv[3] === 'forget' || { age: 24 * 3600 },
    removeOnFail: { age: 7 * 24 * 3600 },
  },
}))
for (let start = 0; start < jobs.length; start += CHUNK) await queue.addBulk(jobs.slice(start, start + CHUNK))
await queue.close()
await connection.quit()

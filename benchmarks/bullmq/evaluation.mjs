// What a job does: ask LeetCode about one member, decide, and write the evaluation, the streak and the posting.

const QUERY = `query recentSolves($username: String!) {
recentAcSubmissionList(username: $username, limit: 20) { id titleSlug timestamp }
matchedUser(username: $username) { username }
}`

export const question = (handle) => JSON.stringify({ query: QUERY, variables: { username: handle } })

// Distinct problems that were solved on the day; throws where the answer says nothing about the member.
export function solvedOnDay(answer, job) {
  const { recentAcSubmissionList: rows, matchedUser } = answer.data
  if (!matchedUser || !rows) throw new Error(`no answer about ${job.handle}`)
  const slugs = new Set()
  for (const row of rows) {
    const at = Number(row.timestamp)
    if (job.dayStart <= at && at < job.dayEnd) slugs.add(row.titleSlug)
  }
  return slugs.size
}

// One transaction of ordinary statements, as a team writes it.
export async function record(pool, job, solved) {
  const passed = solved >= job.minSolves
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    await client.query(
      `INSERT INTO evaluations (member_id, day, outcome, solved, required, evaluated_at) VALUES ($1, $2, $3, $4, $5, now())
       ON CONFLICT (member_id, day) DO UPDATE
       SET outcome = excluded.outcome, solved = excluded.solved, evaluated_at = excluded.evaluated_at`,
      [job.memberId, job.day, passed ? 'passed' : 'failed', solved, job.minSolves],
    )
    if (passed) {
      await client.query(
        `UPDATE members SET current_streak = current_streak + 1, longest_streak = greatest(longest_streak, current_streak + 1)
         WHERE id = $1`,
        [job.memberId],
      )
    } else {
      await client.query('UPDATE members SET current_streak = 0 WHERE id = $1', [job.memberId])
      await client.query(
        `INSERT INTO postings (member_id, day, entry, amount, posted_at) VALUES ($1, $2, 1, $3, now())
         ON CONFLICT DO NOTHING`,
        [job.memberId, job.day, job.penalty],
      )
    }
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

// All of it in one prepared statement, which is a transaction of its own: one round trip instead of four or five.
const RECORD = {
  name: 'record',
  text: `WITH evaluated AS (
           INSERT INTO evaluations (member_id, day, outcome, solved, required, evaluated_at)
           VALUES ($1, $2, $3, $4, $5, now()) ON CONFLICT DO NOTHING RETURNING member_id, day, outcome),
         streak AS (
           UPDATE members m SET
             current_streak = CASE e.outcome WHEN 'passed' THEN m.current_streak + 1 ELSE 0 END,
             longest_streak = CASE e.outcome WHEN 'passed' THEN greatest(m.longest_streak, m.current_streak + 1)
                              ELSE m.longest_streak END
           FROM evaluated e WHERE m.id = e.member_id)
         INSERT INTO postings (member_id, day, entry, amount, posted_at)
         SELECT member_id, day, 1, $6, now() FROM evaluated WHERE outcome = 'failed'`,
}

export async function recordAtOnce(pool, job, solved) {
  const outcome = solved >= job.minSolves ? 'passed' : 'failed'
  await pool.query({ ...RECORD, values: [job.memberId, job.day, outcome, solved, job.minSolves, job.penalty] })
}

//! Trying failed jobs again.

use serde_json::{Map, Value, json};

use super::{FAILED, Filter, PAGE, is_known_queue, not_found, title, with_user};
use crate::{
    error::{Code, Error, Result, counted},
    model::{Id, Job, Time},
    operations::{Action, Change, Deed, MOST_SUBJECTS, Run, Subject},
    storage::{self, Connection},
};

const RETRY: Action = Action::new("job.retry", "Retried", "retry");

/// Tries a failed job again, as MAS does: a new job of the same kind that counts one attempt more, and that the failed
/// one names as its next attempt. Where MAS lets it wait, for 5 seconds after the first attempt and twice as long after
/// each further one, this one is available at once: a person has decided that it is time.
///
/// # Errors
/// `job.not_found`; `job.not_failed`, which a running job is; `job.retried` if there is a next attempt.
pub async fn retry(run: &Run, id: Id) -> Result<Job> {
    run.write(async |deed| {
        let (failed, next) = retry_one(deed, id).await?;
        let next = with_user(deed.store(), next).await?;
        deed.changed(
            Change::of(RETRY, (&failed).into())
                .said(format!("{} as job {}, attempt {}", title(&next), next.id, next.attempt))
                .before("next_attempt_id", ())
                .after("next_attempt_id", next.id)
                .after("attempt", next.attempt),
        );
        Ok(next)
    })
    .await
}

/// Tries every abandoned job again that fits, oldest first, and returns how many there were.
///
/// # Errors
/// Those of the store.
pub async fn retry_abandoned(run: &Run, mut filter: Filter) -> Result<u64> {
    filter.status = Some(FAILED.to_owned());
    filter.last_attempt = true;
    run.write(async |deed| {
        let (mut after, mut subjects, mut count) = (Id::least(), Vec::new(), 0);
        loop {
            let page = storage::jobs::job_id_page(deed.store(), &filter, after, PAGE).await?;
            let Some(&last) = page.last() else { break };
            for id in page {
                let failed = match retry_one(deed, id).await {
                    Ok((failed, _)) => failed,
                    // Somebody else was faster.
                    Err(error) if matches!(error.code(), Code::JobRetried | Code::JobNotFound) => continue,
                    Err(error) => return Err(error),
                };
                count += 1;
                deed.keep_things([id]);
                if subjects.len() < MOST_SUBJECTS {
                    subjects.push(Subject::from(&failed));
                }
            }
            after = last;
            run.console().progress("Retrying jobs", count, None);
        }
        if count == 0 {
            deed.note("There is no abandoned job to retry");
        } else {
            deed.changed(Change::of_many(RETRY, count, subjects).said(counted(count, "job")));
        }
        Ok(count)
    })
    .await
}

async fn retry_one(deed: &mut Deed<'_>, id: Id) -> Result<(Job, Job)> {
    let failed = storage::jobs::job_for_change(deed.store(), id)
        .await?
        .ok_or_else(|| not_found(id))?;
    if failed.status != FAILED {
        return Err(Error::new(
            Code::JobNotFailed,
            format!("Job {id} is {}: only a failed job can be retried", failed.status),
        )
        .data("status", failed.status));
    }
    if let Some(next) = failed.next_attempt_id {
        return Err(retried(id, next));
    }
    let new = deed.new_row();
    let (next, kept) = next_attempt(deed.store(), id, new, None).await?;
    deed.queued_jobs(1);
    deed.keep_job(
        next.queue.clone(),
        &json!({"attempt": next.attempt, "payload": next.payload}),
    );
    if !kept {
        deed.note(format!(
            "The metadata of job {id} is none that MAS writes, and would end MAS: the new job has none"
        ));
    }
    if !is_known_queue(&failed.queue) {
        deed.note(format!(
            "masctl knows no queue `{}`: unless this MAS does, job {} waits for ever",
            failed.queue, next.id
        ));
    }
    Ok((failed, next))
}

/// Adds the job that tries a failed one again, and notes it there. The flag says whether its metadata was kept.
pub(in crate::operations) async fn next_attempt(
    store: &mut Connection,
    failed: Id,
    (now, id): (Time, Id),
    scheduled_at: Option<Time>,
) -> Result<(Job, bool)> {
    let metadata = storage::jobs::job_metadata(store, failed).await?.unwrap_or_default();
    let kept = valid_metadata(&metadata);
    let is_kept = kept.is_some();
    let metadata = kept.unwrap_or_else(|| json!({}));
    let next = storage::jobs::job_add_attempt(store, failed, (id, now), &metadata, scheduled_at)
        .await?
        .ok_or_else(|| not_found(failed))?;
    if !storage::jobs::job_set_next_attempt(store, failed, id).await? {
        return Err(retried(failed, id));
    }
    Ok((next, is_kept))
}

/// Metadata as MAS writes it. Every worker of MAS reads it before it takes the job, and ends MAS if it cannot.
fn valid_metadata(text: &str) -> Option<Value> {
    let Ok(Value::Object(metadata)) = serde_json::from_str(text) else {
        return None;
    };
    let is_hex = |key: &str, length: usize| {
        let value = metadata.get(key).and_then(Value::as_str);
        value.is_some_and(|hex| hex.len() == length && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let is_whole = |metadata: &Map<String, Value>| {
        let flags = metadata.get("trace_flags").and_then(Value::as_u64);
        metadata.len() == 3
            && is_hex("trace_id", 32)
            && is_hex("span_id", 16)
            && flags.is_some_and(|flags| flags <= 255)
    };
    (metadata.is_empty() || is_whole(&metadata)).then(|| Value::Object(metadata.clone()))
}

fn retried(id: Id, next: Id) -> Error {
    Error::new(Code::JobRetried, format!("Job {id} was retried already, as job {next}"))
        .data("next_attempt_id", next.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_metadata_that_mas_can_read_is_kept() {
        let whole = r#"{"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331","trace_flags":255}"#;
        for text in ["{}", whole] {
            assert_eq!(valid_metadata(text), serde_json::from_str(text).ok(), "{text}");
        }
        for text in [
            "",
            "null",
            "[]",
            r#""{}""#,
            r#"{"trace_id":null}"#,
            &whole.replace("255", "256"),
            &whole.replace("255", "-1"),
            &whole.replace("255", "\"1\""),
            &whole.replace("0af", "xyz"),
            &whole.replace("0af", ""),
            &whole.replace('}', r#","more":1}"#),
            &whole[..whole.len() - 1],
        ] {
            assert_eq!(valid_metadata(text), None, "{text}");
        }
    }
}

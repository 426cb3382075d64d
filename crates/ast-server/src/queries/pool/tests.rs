use std::sync::mpsc;

use axum::body::to_bytes;

use super::*;

async fn body(answer: Response) -> String {
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn is_busy(answer: &Response) -> bool {
    let headers = answer.headers();
    answer.status() == StatusCode::SERVICE_UNAVAILABLE
        && headers.contains_key(header::RETRY_AFTER)
        && headers.get(header::CONNECTION).is_some_and(|it| it == "close")
}

#[tokio::test]
async fn so_many_wait_for_their_turn_and_more_are_told_to_come_again() {
    let pool = Pool::new(1 << 20);
    let (running, started) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let gate = Arc::new(std::sync::Mutex::new(gone));
    let ask = || {
        let (pool, running, gate) = (pool.clone(), running.clone(), Arc::clone(&gate));
        tokio::spawn(async move {
            let wait = move |_: &Asker<'_>| {
                running.send(()).expect("the test waits");
                // Err: the gate is open.
                let _ = gate.lock().expect("no panic").recv();
                Ok(b"1".to_vec())
            };
            pool.answer(wait).await
        })
    };
    let asked: Vec<_> = (0..RUNNING + WAITING).map(|_| ask()).collect();
    let started = tokio::task::spawn_blocking(move || {
        (0..RUNNING).for_each(|_| started.recv().expect("they run"));
        started
    });
    let started = started.await.expect("no panic");
    while pool.places.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(started.try_recv().is_err(), "no more run at a time");
    assert!(is_busy(&ask().await.expect("no panic")));
    drop(go);
    for asked in asked {
        assert_eq!(body(asked.await.expect("no panic")).await, "1");
    }
    assert_eq!(body(ask().await.expect("no panic")).await, "1");
}

#[tokio::test]
async fn a_query_stops_when_its_client_has_left_or_waited_long_enough() {
    for patience in [PATIENCE, Duration::from_millis(10)] {
        let pool = Pool { patience, ..Pool::new(1 << 20) };
        let (running, started) = oneshot::channel();
        let (stopped, ended) = oneshot::channel();
        let asking = pool.clone();
        let asked = tokio::spawn(async move {
            let wait = move |asker: &Asker<'_>| {
                running.send(()).expect("the test waits");
                while !asker.has_left() {
                    std::thread::yield_now();
                }
                stopped.send(asker.json(&"x".repeat(100 * KIB)).is_err()).expect("it waits");
                Ok(Vec::new())
            };
            asking.answer(wait).await
        });
        started.await.expect("it runs");
        if patience == PATIENCE {
            asked.abort();
        } else {
            assert!(is_busy(&asked.await.expect("no panic")));
        }
        assert!(ended.await.expect("it stops"), "nor is more written");
    }
}

#[tokio::test]
async fn answers_take_so_much_memory_until_they_are_read_and_a_large_one_is_alone() {
    let pool = Pool::new(10 * KIB);
    let ask = |kib: usize| pool.answer(move |_| Ok(vec![b'1'; kib * KIB]));
    let (first, second) = (ask(8).await, ask(2).await);
    assert!(is_busy(&ask(1).await));
    assert_eq!(body(second).await.len(), 2 * KIB);
    drop(first);
    let large = ask(100).await;
    assert_eq!(large.status(), StatusCode::OK);
    assert!(is_busy(&ask(1).await));
    assert_eq!(body(large).await.len(), 100 * KIB);
    assert_eq!(ask(10).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_query_that_panics_is_answered_and_gives_its_turn_back() {
    let pool = Pool::new(0);
    for _ in 0..2 * RUNNING {
        let answer = pool.answer(|_| panic!("a failure that a test asked for")).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
    assert_eq!(body(pool.answer(|_| Ok(b"1".to_vec())).await).await, "1");
}

//! Handlers that wait for their children.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use muster::Submission;
use muster::worker::Context;

use crate::support::{Server, run, within};

#[tokio::test]
async fn a_handler_waits_for_children_without_a_slot() {
    let Some(server) = Server::find("a_handler_waits_for_children_without_a_slot") else { return };
    for name in ["parent", "child"] {
        server.define_plain(name).await;
    }
    let runs = Arc::new(AtomicUsize::new(0));
    let child = server.name("child");
    let worker = server
        .worker()
        .slots(1)
        .handle(child.clone(), |_: Context, text: String| async move { Ok(text.len()) })
        .handle(server.name("parent"), {
            let runs = runs.clone();
            move |context: Context, texts: Vec<String>| {
                runs.fetch_add(1, Ordering::Relaxed);
                let child = child.clone();
                async move {
                    let mut children = Vec::new();
                    for text in &texts {
                        children.push(context.submit(Submission::new(&child).input(text)).await?);
                    }
                    let lengths: Vec<usize> = context.wait(&children).await?;
                    Ok(lengths.iter().sum::<usize>())
                }
            }
        })
        .build()
        .unwrap();
    let running = run(worker);
    let job = server.client.submit(server.job("parent").input(&["Emma", "Ulysses"])).await.unwrap();
    assert_eq!(within(server.client.result::<usize>(&job)).await.unwrap(), 11);
    assert!(runs.load(Ordering::Relaxed) > 1);
    running.stop().await;
}

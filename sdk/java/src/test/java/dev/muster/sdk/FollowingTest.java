package dev.muster.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muster.v1.Job;
import dev.muster.v1.JobServiceGrpc;
import dev.muster.v1.JobState;
import dev.muster.v1.ListAttemptLogsRequest;
import dev.muster.v1.ListAttemptLogsResponse;
import dev.muster.v1.LogRecord;
import dev.muster.v1.WatchAttemptLogsRequest;
import dev.muster.v1.WatchAttemptLogsResponse;
import dev.muster.v1.WatchJobRequest;
import dev.muster.v1.WatchJobResponse;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Watches and followed logs over streams that break. */
class FollowingTest {
  private final FakeStreams streams = new FakeStreams();
  private final FakeServer server = new FakeServer(streams);

  /** Each stream runs as the test has set; without a script it fails with a permanent error. */
  private static final class FakeStreams extends JobServiceGrpc.JobServiceImplBase {
    final Queue<Consumer<StreamObserver<WatchJobResponse>>> watches = new ConcurrentLinkedQueue<>();
    final Queue<Consumer<StreamObserver<WatchAttemptLogsResponse>>> follows =
        new ConcurrentLinkedQueue<>();
    final List<WatchAttemptLogsRequest> followed = new CopyOnWriteArrayList<>();
    final List<ListAttemptLogsRequest> listed = new CopyOnWriteArrayList<>();
    final CountDownLatch cancelled = new CountDownLatch(1);

    @Override
    public void watchJob(WatchJobRequest request, StreamObserver<WatchJobResponse> observer) {
      ((ServerCallStreamObserver<?>) observer).setOnCancelHandler(cancelled::countDown);
      playNext(watches, observer);
    }

    @Override
    public void watchAttemptLogs(
        WatchAttemptLogsRequest request, StreamObserver<WatchAttemptLogsResponse> observer) {
      followed.add(request);
      playNext(follows, observer);
    }

    @Override
    public void listAttemptLogs(
        ListAttemptLogsRequest request, StreamObserver<ListAttemptLogsResponse> observer) {
      listed.add(request);
      boolean isFirst = request.getPageToken().isEmpty();
      observer.onNext(
          ListAttemptLogsResponse.newBuilder()
              .addRecords(record(isFirst ? 1 : 2))
              .setNextPageToken(isFirst ? "second" : "")
              .build());
      observer.onCompleted();
    }

    private static <T> void playNext(
        Queue<Consumer<StreamObserver<T>>> said, StreamObserver<T> to) {
      Consumer<StreamObserver<T>> next = said.poll();
      if (next == null) {
        to.onError(Status.NOT_FOUND.asRuntimeException());
      } else {
        next.accept(to);
      }
    }
  }

  private static WatchJobResponse job(long revision, JobState state) {
    return WatchJobResponse.newBuilder()
        .setJob(Job.newBuilder().setRevision(revision).setState(state))
        .build();
  }

  private static LogRecord record(long sequence) {
    return LogRecord.newBuilder().setSequence(sequence).build();
  }

  private static <T> void breakOff(StreamObserver<T> stream) {
    stream.onError(Status.UNAVAILABLE.asRuntimeException());
  }

  /** A running job, over a stream that breaks, and then over one that reports its end. */
  private void endsOverTwoStreams() {
    streams.watches.add(
        stream -> {
          stream.onNext(job(1, JobState.JOB_STATE_READY));
          stream.onNext(job(2, JobState.JOB_STATE_RUNNING));
          breakOff(stream);
        });
    streams.watches.add(
        stream -> {
          stream.onNext(job(2, JobState.JOB_STATE_RUNNING));
          stream.onNext(job(5, JobState.JOB_STATE_SUCCEEDED));
        });
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void aWatchReturnsEachChangeOnceOverStreamsThatBreak() throws Exception {
    endsOverTwoStreams();
    try (Stream<Job> changes = server.client.watch("job-1")) {
      assertEquals(List.of(1L, 2L, 5L), changes.map(Job::getRevision).toList());
    }
    // The server never ends the second stream.
    streams.cancelled.await();
  }

  @Test
  void anAsynchronousWatchReturnsTheSame() {
    endsOverTwoStreams();
    List<Long> revisions = new ArrayList<>();
    server.client.async().watch("job-1", job -> revisions.add(job.getRevision())).join();
    assertEquals(List.of(1L, 2L, 5L), revisions);
  }

  @Test
  void aStreamThatTheServerEndsTooEarlyIsAskedForAnew() {
    streams.watches.add(StreamObserver::onCompleted);
    endsOverTwoStreams();
    assertEquals(3, server.client.watch("job-1").count());
  }

  @Test
  void triesABoundedNumberOfTimesInARow() {
    for (int tries = 0; tries < 3; tries++) {
      streams.watches.add(FollowingTest::breakOff);
    }
    MusterException failure =
        assertThrows(MusterException.class, () -> server.client.watch("job-1").count());
    assertEquals(Status.Code.UNAVAILABLE, failure.code());
    assertTrue(streams.watches.isEmpty());
  }

  @Test
  void whatWouldFailAgainIsNotRepeated() {
    MusterException failure =
        assertThrows(MusterException.class, () -> server.client.watch("job-1").count());
    assertEquals(Status.Code.NOT_FOUND, failure.code());
  }

  @Test
  void closingEndsTheCallAndTheReaderWhoWaits() throws Exception {
    streams.watches.add(stream -> stream.onNext(job(1, JobState.JOB_STATE_RUNNING)));
    Stream<Job> changes = server.client.watch("job-1");
    CountDownLatch deliveredOne = new CountDownLatch(1);
    CompletableFuture<Void> reader =
        CompletableFuture.runAsync(() -> changes.forEach(job -> deliveredOne.countDown()));
    deliveredOne.await();
    changes.close();
    streams.cancelled.await();
    CompletionException end = assertThrows(CompletionException.class, reader::join);
    assertEquals(Status.Code.CANCELLED, ((MusterException) end.getCause()).code());
  }

  @Test
  void anInterruptAndACancelledFutureEndTheCall() throws Exception {
    streams.watches.add(stream -> stream.onNext(job(1, JobState.JOB_STATE_RUNNING)));
    Iterator<Job> changes = server.client.watch("job-1").iterator();
    changes.next();
    Thread.currentThread().interrupt();
    MusterException ended = assertThrows(MusterException.class, changes::next);
    assertEquals(Status.Code.CANCELLED, ended.code());
    assertTrue(Thread.interrupted());
    streams.cancelled.await();
  }

  @Test
  void whatAReaderThrowsEndsAWatchAndSoDoesCancellingIt() throws Exception {
    streams.watches.add(stream -> stream.onNext(job(1, JobState.JOB_STATE_RUNNING)));
    IllegalStateException enough = new IllegalStateException("enough");
    CompletableFuture<Void> thrown =
        server
            .client
            .async()
            .watch(
                "job-1",
                job -> {
                  throw enough;
                });
    assertSame(enough, assertThrows(CompletionException.class, thrown::join).getCause());
    streams.cancelled.await();

    CountDownLatch opened = new CountDownLatch(1);
    CountDownLatch ended = new CountDownLatch(1);
    streams.watches.add(
        stream -> {
          ((ServerCallStreamObserver<?>) stream).setOnCancelHandler(ended::countDown);
          opened.countDown();
        });
    CompletableFuture<Void> cancelled = server.client.async().watch("job-1", job -> {});
    opened.await();
    cancelled.cancel(true);
    ended.await();
  }

  @Test
  void logsAreReadPageByPage() {
    assertEquals(
        List.of(1L, 2L), server.client.logs("job-1", 3).map(LogRecord::getSequence).toList());
    assertEquals(3, streams.listed.get(1).getAttempt());
    assertEquals("second", streams.listed.get(1).getPageToken());
  }

  @Test
  void logsAreFollowedFromWhereAStreamBroke() {
    streams.follows.add(
        stream -> {
          stream.onNext(WatchAttemptLogsResponse.newBuilder().setResumeToken("nothing").build());
          stream.onNext(
              WatchAttemptLogsResponse.newBuilder()
                  .addRecords(record(1))
                  .addRecords(record(2))
                  .setResumeToken("after-2")
                  .build());
          breakOff(stream);
        });
    streams.follows.add(
        stream ->
            stream.onNext(
                WatchAttemptLogsResponse.newBuilder()
                    .addRecords(record(3))
                    .setResumeToken("after-3")
                    .setEnded(true)
                    .build()));
    List<Long> sequences = new ArrayList<>();
    server
        .client
        .async()
        .followLogs("job-1", 2, record -> sequences.add(record.getSequence()))
        .join();
    assertEquals(List.of(1L, 2L, 3L), sequences);
    assertEquals(
        List.of("", "after-2"),
        streams.followed.stream().map(WatchAttemptLogsRequest::getResumeToken).toList());
    assertEquals(2, streams.followed.get(1).getAttempt());
  }

  @Test
  void theLastMessageMayHaveNoRecords() {
    streams.follows.add(
        stream -> stream.onNext(WatchAttemptLogsResponse.newBuilder().setEnded(true).build()));
    assertEquals(0, server.client.followLogs("job-1").count());
  }
}

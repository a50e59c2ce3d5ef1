package dev.muster.sdk.internal.worker;

import dev.muster.sdk.internal.core.CorePorts;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The thread that runs the core and keeps the worker's session alive. */
final class CoreThread implements Executor, CorePorts.Timers {
  private final ScheduledThreadPoolExecutor executor;
  private final Consumer<Throwable> onFault;

  /**
   * @param onFault Called with exceptions thrown on the thread: these are faults of the SDK.
   */
  CoreThread(String name, Consumer<Throwable> onFault) {
    this.onFault = onFault;
    executor =
        new ScheduledThreadPoolExecutor(
            1,
            run -> {
              Thread thread = new Thread(run, name);
              thread.setDaemon(true);
              return thread;
            });
    executor.setRemoveOnCancelPolicy(true);
    executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  /** Tasks after the end of the worker are dropped. */
  @Override
  public void execute(Runnable run) {
    try {
      executor.execute(() -> guarded(run));
    } catch (RejectedExecutionException over) {
      // The worker has ended.
    }
  }

  /** Waits until the task has run. Returns false if the worker has ended. */
  boolean executeAndWait(Runnable run) throws InterruptedException {
    CountDownLatch done = new CountDownLatch(1);
    try {
      executor.execute(
          () -> {
            guarded(run);
            done.countDown();
          });
    } catch (RejectedExecutionException over) {
      return false;
    }
    while (!done.await(1, TimeUnit.SECONDS)) {
      if (executor.isTerminated()) {
        return false;
      }
    }
    return true;
  }

  @Override
  public Runnable after(long ms, Runnable run) {
    try {
      ScheduledFuture<?> timer = executor.schedule(() -> guarded(run), ms, TimeUnit.MILLISECONDS);
      return () -> timer.cancel(false);
    } catch (RejectedExecutionException over) {
      return () -> {};
    }
  }

  void close() {
    executor.shutdown();
  }

  private void guarded(Runnable run) {
    try {
      run.run();
    } catch (Throwable fault) {
      onFault.accept(fault);
    }
  }
}

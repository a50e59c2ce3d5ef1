package dev.muster.sdk;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** Futures that depend on a call: they fail with its failure, and cancelling them ends the call. */
final class Chain {
  private Chain() {}

  static <A, B> CompletableFuture<B> map(CompletableFuture<A> call, Function<A, B> change) {
    return map(call, change, (value, thrown) -> {});
  }

  /**
   * @param ended Called with the outcome before the returned future completes; one of the two
   *     arguments is null.
   */
  static <A, B> CompletableFuture<B> map(
      CompletableFuture<A> call, Function<A, B> change, BiConsumer<B, Throwable> ended) {
    CompletableFuture<B> result = new CompletableFuture<>();
    cancelWith(result, call);
    call.whenComplete(
        (value, thrown) -> {
          if (thrown != null) {
            fail(result, cause(thrown), ended);
            return;
          }
          B changed;
          try {
            changed = change.apply(value);
          } catch (RuntimeException unfit) {
            fail(result, unfit, ended);
            return;
          }
          ended.accept(changed, null);
          result.complete(changed);
        });
    return result;
  }

  static void cancelWith(CompletableFuture<?> result, CompletableFuture<?> call) {
    result.whenComplete(
        (value, thrown) -> {
          if (result.isCancelled()) {
            call.cancel(true);
          }
        });
  }

  static Throwable cause(Throwable thrown) {
    return thrown instanceof CompletionException && thrown.getCause() != null
        ? thrown.getCause()
        : thrown;
  }

  private static <B> void fail(
      CompletableFuture<B> result, Throwable thrown, BiConsumer<B, Throwable> ended) {
    ended.accept(null, thrown);
    result.completeExceptionally(thrown);
  }
}

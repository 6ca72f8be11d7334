import NIOCore

/// The short way of HTTP/1.1: requests that ask for nothing but a path, whose answers are at hand and small, on connections
/// where nothing waits. Answers go from the cache into the outbox; everything else takes the way through `HTTP1Reader`.
///
/// Heads are read by the same scanner, as strictly; fields that came with the request before are known (`HTTP1Habit`). What it does not answer it leaves untouched, to be read again.
extension HTTP1Writer {
    /// Answers requests from the front of what was received. Nothing may be under way.
    ///
    /// - Returns: how many bytes they had.
    func glance(_ bytes: UnsafeRawBufferPointer) -> Int {
        let shared = loop.shared
        guard shared.glances, shared.requestsOpen.value < shared.configuration.requestsMax else { return 0 }
        var place = 0
        while place < bytes.count {
            let count = answerFirst(UnsafeRawBufferPointer(rebasing: bytes[place...]))
            if count == 0 { break }
            place += count
        }
        return place
    }

    /// - Returns: how many bytes the first request has; 0 if it was not answered.
    private func answerFirst(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let (glimpse, count) = habit.glimpse(of: bytes) ?? readFirst(bytes),
            let glance = loop.shared.handler.glance(glimpse)
        else { return 0 }
        let (form, body) = glance.answer.form(acceptsGzip: glimpse.acceptsGzip)
        guard body.readableBytes <= Self.copyBytesMax,
            connection.gather(form, form.bodyBytes > 0 ? body : nil, atMost: Self.gatherBytesMax)
        else { return 0 }
        loop.figures.requestsHTTP1.add()
        loop.figures.bodyBytesOut.add(form.bodyBytes)
        if let observer = loop.shared.observer {
            let outcome = EdgeOutcome(
                status: form.status, bytes: form.bodyBytes, cache: form.cache, label: glance.label)
            observer.leaves(glimpse, outcome)
        }
        return count
    }
    /// Reads a head whose fields are not those of the one before.
    private func readFirst(_ bytes: UnsafeRawBufferPointer) -> (EdgeGlimpse, count: Int)? {
        var scanner = HTTP1Scanner()
        guard case .complete(let count) = scanner.scan(bytes), let glimpse = scanner.draft.glimpse(of: bytes) else {
            return nil
        }
        habit.learn(UnsafeRawBufferPointer(rebasing: bytes[..<count]), scanner.draft)
        return (glimpse, count)
    }
}

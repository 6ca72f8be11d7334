import Logging
import NIOCore

/// From a request to its answer's last frame.
extension HTTP2Connection {
    /// Larger answers take turns with the others.
    private static let wholeBytesMax = 64 << 10

    // MARK: Asking

    /// Asks the handler for a request that came whole.
    func ask(_ id: Int32, _ account: consuming RequestAccount, isOpenForClient: Bool) {
        guard let answer = loop.ask(account.request, memo: &memo) else {
            return refuse(id, account, .tooManyRequests, isOpenForClient: isOpenForClient)
        }
        account.outcome.label = answer.label
        account.outcome.credit = answer.credit
        if case .rendered(let answer) = answer.content {
            return deliver(id, account, answer, isOpenForClient: isOpenForClient)
        }
        let stream = begin(id, account, isOpenForClient: isOpenForClient)
        deliver(answer, on: stream)
    }

    /// Asks the handler for a request that was waited for.
    func ask(_ stream: HTTP2Stream) {
        guard let answer = loop.ask(stream.account.request, memo: &memo) else {
            return refuse(stream, .tooManyRequests)
        }
        loop.counts(&stream.account)
        deliver(answer, on: stream)
    }

    /// Answers without asking the handler.
    func refuse(_ id: Int32, _ account: RequestAccount, _ refusal: Refusal, isOpenForClient: Bool) {
        loop.figures.requestsRefused.add()
        deliver(id, account, refusal.answer, isOpenForClient: isOpenForClient)
    }

    func refuse(_ stream: HTTP2Stream, _ refusal: Refusal) {
        loop.figures.requestsRefused.add()
        deliver(.rendered(refusal.answer), on: stream)
    }

    private func begin(_ id: Int32, _ account: RequestAccount, isOpenForClient: Bool) -> HTTP2Stream {
        let stream = HTTP2Stream(id, account, isWhole: !isOpenForClient, window: settings.window)
        stream.phase = .awaitsAnswer
        loop.counts(&stream.account)
        streams[id] = stream
        return stream
    }

    // MARK: Answers

    /// Writes the answer now if it fits, or lets it wait for room.
    private func deliver(
        _ id: Int32, _ account: consuming RequestAccount, _ answer: RenderedAnswer, isOpenForClient: Bool
    ) {
        let (form, bytes) = answer.form(acceptsGzip: account.request.acceptsGzip)
        let body = form.bodyBytes == 0 || account.request.method == .head ? nil : bytes
        let count = body?.readableBytes ?? 0
        guard count <= min(window, settings.window, Self.wholeBytesMax), upgradeBytesLeft == nil, connection.isWritable
        else {
            let stream = begin(id, account, isOpenForClient: isOpenForClient)
            return show(form, body.map { .bytes($0) } ?? .none, on: stream)
        }
        window -= count
        output.answer(id, form, body, tableBytes: settings.headerTableBytes)
        // The answer is whole; the client need not send the rest of its body.
        if isOpenForClient { output.reset(id, .noError) }
        account.outcome.status = form.status
        account.outcome.cache = form.cache
        account.outcome.bytes = count
        account.leaves(loop.shared.observer)
        loop.finished(account, at: lastActive)
    }

    private func deliver(_ answer: EdgeAnswer, on stream: HTTP2Stream) {
        stream.account.outcome.label = answer.label
        stream.account.outcome.credit = answer.credit
        let isHead = stream.account.request.method == .head
        switch answer.content {
        case .rendered(let answer):
            let (form, bytes) = answer.form(acceptsGzip: stream.account.request.acceptsGzip)
            show(form, form.bodyBytes == 0 || isHead ? .none : .bytes(bytes), on: stream)
        case .file(let answer):
            let form = answer.form
            if form.bodyBytes == 0 || isHead { show(form, .none, on: stream) } else { open(answer, form, on: stream) }
        case .later(let future):
            loop.wait(future) { answer in
                guard case .awaitsAnswer = stream.phase else { return }
                self.deliver(answer, on: stream)
                self.send()
            }
        }
    }

    private func show(_ form: Rendition, _ body: HTTP2Stream.Body, on stream: HTTP2Stream) {
        stream.phase = .answering
        stream.form = form
        stream.body = body
        stream.account.outcome.status = form.status
        stream.account.outcome.cache = form.cache
        stream.lastSent = loop.now
        getInLine(stream)
    }

    private func open(_ answer: FileAnswer, _ form: Rendition, on stream: HTTP2Stream) {
        stream.phase = .opening
        loop.open(answer) { file in
            guard case .opening = stream.phase else { return }
            if let file {
                self.show(form, .file(FileBody(file, loop: self.loop)), on: stream)
            } else {
                self.deliver(.rendered(Refusal.fileUnavailable.answer), on: stream)
            }
            self.send()
        }
    }

    // MARK: Turns

    /// The stream takes its turn, unless it has one already or waits for something.
    func getInLine(_ stream: HTTP2Stream) {
        guard case .answering = stream.phase, !stream.isInLine else { return }
        stream.isInLine = true
        line.append(stream)
    }

    /// True if only the channel's want of room stopped the last `advance`, and it has room again.
    var canAdvance: Bool {
        !isOver && !line.isEmpty && connection.isWritable && (window > 0 || !line[line.startIndex].hasHead)
            && upgradeBytesLeft != 0
    }

    /// Frames of all streams in turn, as far as the client takes them.
    func advance() {
        var turns = line.count
        while turns > 0, canAdvance, let stream = line.popFirst() {
            stream.isInLine = false
            guard case .answering = stream.phase else { continue }
            // Every stream that moved may move again.
            if takeTurn(stream) { turns = line.count } else { turns -= 1 }
        }
    }

    /// - Returns: true if something was written.
    private func takeTurn(_ stream: HTTP2Stream) -> Bool {
        guard let form = stream.form else { return false }
        let writesHead = !stream.hasHead
        if writesHead {
            stream.hasHead = true
            output.head(stream.id, form, isEnd: stream.bytesLeft == 0, tableBytes: settings.headerTableBytes)
            guard stream.bytesLeft > 0 else {
                stream.account.leaves(loop.shared.observer)
                end(stream)
                return true
            }
        }
        let room = min(window, stream.window, HTTP2.frameBytesMax, upgradeBytesLeft ?? .max)
        let count = min(room, stream.bytesAtHand)
        guard count > 0 else {
            if stream.bytesAtHand == 0 { readAhead(stream) }
            // What waits for the stream's own window or its file comes back with it.
            if stream.bytesAtHand > 0, stream.window > 0 { getInLine(stream) }
            return writesHead
        }
        writeBody(stream, count)
        return true
    }

    private func writeBody(_ stream: HTTP2Stream, _ count: Int) {
        let part = stream.take(count)
        let isEnd = stream.bytesLeft == 0
        window -= count
        stream.window -= count
        if let left = upgradeBytesLeft { upgradeBytesLeft = left - count }
        stream.account.outcome.bytes += count
        stream.lastSent = loop.now
        // Before it is written: the output may leave at any time from then on.
        if isEnd { stream.account.leaves(loop.shared.observer) }
        output.data(stream.id, part, isEnd: isEnd)
        if isEnd { end(stream) } else { getInLine(stream) }
    }

    private func readAhead(_ stream: HTTP2Stream) {
        guard case .file(let file) = stream.body else { return }
        file.readAhead { result in
            guard case .answering = stream.phase, !self.isOver else { return }
            if case .failure(let error) = result {
                self.loop.shared.logger.error("a file broke off while it was sent", metadata: ["error": "\(error)"])
                self.output.reset(stream.id, .internalError)
                stream.isOpenForClient = false
                self.end(stream)
            } else {
                self.getInLine(stream)
            }
            self.send()
        }
    }

    /// The stream is over, however it went.
    func end(_ stream: HTTP2Stream) {
        guard streams.removeValue(forKey: stream.id) != nil else { return }
        // The answer is whole; the client need not send the rest of its body.
        if stream.isOpenForClient, case .answering = stream.phase, stream.hasHead, stream.bytesLeft == 0, !isOver {
            output.reset(stream.id, .noError)
        }
        stream.phase = .over
        stream.body = .none
        loop.finished(stream.account)
    }
}

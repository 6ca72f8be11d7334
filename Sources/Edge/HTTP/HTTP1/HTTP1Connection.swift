import Logging
import NIOCore

/// HTTP/1.1 with pipelining: reads heads, asks the handler, sends the answers in the order of the requests.
///
/// `received` only collects; `receivedAll` sends, so that all answers of a burst leave in one write.
final class HTTP1Connection: ConnectionEngine {
    private let connection: Connection
    private let loop: ServerLoop
    private var reader = HTTP1Reader()
    private var line = CircularBuffer<HTTP1Slot>(initialCapacity: 2)
    private let writer: HTTP1Writer
    private var lastActive = NIODeadline.now()
    /// Since the last tick, which then reads the clock for all.
    private var wasActive = false
    private var headSince: NIODeadline?
    private var nextSlot = 0
    private var hasServed = false
    private var isDraining = false
    /// No further request is read: one was refused, asked to close, or the client ended.
    private var isLast = false
    private var isSending = false
    /// All that came since the last `receivedAll` was answered at a glance.
    private var isGlanced = false
    private var isOver = false
    private var memo: EdgeMemo?

    init(_ connection: Connection) {
        self.connection = connection
        loop = connection.loop
        writer = HTTP1Writer(connection)
        writer.lastPartIsNext = { [unowned self] in firstLeaves() }
    }

    var waitsForClient: Bool { false }

    // MARK: Reading

    func received(_ bytes: ByteBuffer) {
        guard !isLast else { return }
        let answered = glance(bytes)
        isGlanced = answered == bytes.readableBytes
        guard answered < bytes.readableBytes, !isOver else { return }
        var rest = bytes
        rest.moveReaderIndex(forwardBy: answered)
        reader.append(rest)
        read()
    }

    /// Answers what can be answered at a glance; see `HTTP1Glance`.
    ///
    /// - Returns: how many bytes those requests had.
    private func glance(_ bytes: ByteBuffer) -> Int {
        // With TLS nothing goes past the channel.
        guard !connection.isTLS, line.isEmpty, reader.isEmpty, !isSending, !isOver, !isDraining, !writer.isOpen,
            !connection.isOneTooMany
        else { return 0 }
        let count = bytes.withUnsafeReadableBytes { writer.glance($0) }
        if count > 0 {
            hasServed = true
            wasActive = true
        }
        return count
    }

    func receivedAll() {
        if isGlanced {
            isGlanced = false
            return
        }
        // All answers are in the loop's outbox already, or all but nothing came.
        if line.isEmpty, !writer.isOpen { closeIfDone() } else { send() }
    }

    /// Takes requests until the line is full; what remains waits, first in `reader`, then in the socket.
    private func read() {
        let now = NIODeadline.now()
        lastActive = now
        while !isLast, !isOver, line.count < loop.shared.configuration.pipelineMax {
            switch reader.next() {
            case .incomplete:
                headSince = reader.isEmpty ? nil : headSince ?? now
                return connection.holdReads(false)
            case .refused(let refusal): refuse(refusal)
            case .head(let head):
                headSince = nil
                accept(head, now)
            }
        }
        if !isOver { connection.holdReads(true) }
    }

    private func accept(_ head: HTTP1Head, _ now: NIODeadline) {
        loop.figures.requestsHTTP1.add()
        if connection.isOneTooMany { return refuse(.tooManyConnections) }
        let request = head.request(id: loop.requestNumber(), from: client(head))
        if upgrades(head, request) { return }
        isLast = !head.keepsAlive
        guard let answer = loop.ask(request, memo: &memo) else {
            let account = RequestAccount(request, arrived: now)
            return add(account, answer: EdgeAnswer(.rendered(Refusal.tooManyRequests.answer)), closes: isLast)
        }
        add(RequestAccount(request, arrived: now), answer: answer, closes: isLast)
    }

    private func client(_ head: HTTP1Head) -> EdgePeer {
        guard let field = loop.shared.clientField else { return connection.peer }
        return head.text.withUnsafeReadableBytes { field.client(inHead: $0) } ?? connection.peer
    }

    /// Answers without asking the handler, and closes after it: what follows can't be told apart from a body.
    private func refuse(_ refusal: Refusal) {
        loop.figures.requestsRefused.add()
        isLast = true
        line.append(HTTP1Slot(number: nextSlot, account: nil, answer: .rendered(refusal.answer), closes: true))
    }

    private func add(_ account: consuming RequestAccount, answer: EdgeAnswer, closes: Bool) {
        account.outcome.label = answer.label
        account.outcome.credit = answer.credit
        if !closes, line.isEmpty, !isSending, !isDraining, case .rendered(let rendered) = answer.content,
            writer.writeWhole(rendered, for: account.request)
        {
            hasServed = true
            return leave(account)
        }
        let number = nextSlot
        nextSlot += 1
        loop.counts(&account)
        guard case .later(let future) = answer.content else {
            return line.append(HTTP1Slot(number: number, account: account, answer: answer.content, closes: closes))
        }
        line.append(HTTP1Slot(number: number, account: account, answer: nil, closes: closes))
        loop.wait(future) { self.answered($0, slot: number) }
    }

    /// The answer stands whole in the output.
    private func leave(_ account: consuming RequestAccount) {
        account.outcome.status = writer.status
        account.outcome.cache = writer.cache
        account.outcome.bytes = writer.bodyBytes
        account.leaves(loop.shared.observer)
        loop.finished(account, at: lastActive)
    }

    private func answered(_ answer: EdgeAnswer, slot number: Int) {
        // Gone if it was too late, or the connection is closed.
        guard let index = line.firstIndex(where: { $0.number == number }), line[index].answer == nil else { return }
        line[index].answer = answer.content
        line[index].account?.outcome.label = answer.label
        line[index].account?.outcome.credit = answer.credit
        if index == line.startIndex { send() }
    }

    // MARK: Upgrade

    /// Grants `Upgrade: h2c`, if it is asked for as RFC 7540 says and nothing else is under way.
    private func upgrades(_ head: HTTP1Head, _ request: EdgeRequest) -> Bool {
        guard let settings = head.upgradeSettings, !connection.isTLS, line.isEmpty, !isSending, !isDraining,
            head.method != .other, let engine = HTTP2Connection(connection, upgrading: request, settings: settings)
        else { return false }
        loop.figures.upgrades.add()
        isOver = true
        isLast = true
        connection.holdReads(false)
        connection.serve(engine)
        engine.begin(rest: reader.takeRest())
        return true
    }

    // MARK: Sending

    func becameWritable() { send() }

    /// Sends what can be sent: answers from the front of the line, as far as the client takes them.
    private func send() {
        guard !isSending, !isOver else { return }
        isSending = true
        // A flush can make room at once; nobody would call again for it.
        while advance(), writer.hasRoom {}
        isSending = false
        closeIfDone()
    }

    /// - Returns: true if only want of room stopped it.
    private func advance() -> Bool {
        writer.begin()
        defer { writer.end() }
        while !isOver, let slot = line.first, let answer = slot.answer {
            guard writer.hasRoom else { return true }
            if !slot.hasBegun { begin(slot, answer) }
            guard writer.advance(then: { [self] in send() }) else { return writer.wantsRoom }
            endFirst()
        }
        return false
    }

    private func begin(_ slot: HTTP1Slot, _ answer: EdgeAnswer.Content) {
        let closes = slot.closes || isDraining && line.count == 1
        line[line.startIndex].closes = closes
        line[line.startIndex].hasBegun = true
        writer.start(answer, for: slot.account?.request, closes: closes) { [self] in
            send()
        }
    }

    /// The answer in front has been written whole, or failed.
    private func endFirst() {
        var slot = line.removeFirst()
        lastActive = .now()
        hasServed = true
        tell(&slot.account)
        if !writer.hasFailed { slot.account?.leaves(loop.shared.observer) }
        if let account = slot.account { loop.finished(account, at: lastActive) }
        if writer.hasFailed {
            isOver = true
            abandonLine()
            return connection.closeNow()
        }
        if slot.closes {
            isLast = true
            abandonLine()
        }
        guard !isLast, line.count < loop.shared.configuration.pipelineMax else { return }
        if reader.isEmpty { connection.holdReads(false) } else { read() }
    }

    /// All but the last part of the file in front has left.
    private func firstLeaves() {
        guard !line.isEmpty else { return }
        tell(&line[line.startIndex].account)
        line[line.startIndex].account?.leaves(loop.shared.observer)
    }

    private func tell(_ account: inout RequestAccount?) {
        account?.outcome.status = writer.status
        account?.outcome.cache = writer.cache
        account?.outcome.bytes = writer.bodyBytes
    }

    private func closeIfDone() {
        guard !isOver, line.isEmpty else { return }
        if isLast || isDraining && hasServed && reader.isEmpty {
            isOver = true
            connection.finish()
        }
    }

    // MARK: Time and end

    func inputEnded() {
        isLast = true
        closeIfDone()
    }

    func drain() {
        isDraining = true
        lastActive = .now()
        closeIfDone()
    }

    func tick(_ now: NIODeadline) {
        guard !isOver else { return }
        let limits = loop.shared.configuration
        if wasActive {
            wasActive = false
            lastActive = now
        }
        if let headSince, now > headSince + limits.headTime, !isLast {
            self.headSince = nil
            refuse(.headTooSlow)
            return send()
        }
        if line.isEmpty, headSince == nil {
            let time = isDraining ? limits.freshTime : limits.idleTime
            if now > lastActive + time {
                isLast = true
                closeIfDone()
            }
        } else {
            answerLateOnes(now, limits.answerTime)
        }
    }

    private func answerLateOnes(_ now: NIODeadline, _ time: TimeAmount) {
        var changed = false
        for index in line.indices where line[index].answer == nil {
            guard let account = line[index].account, now > account.arrived + time else { continue }
            loop.figures.answersLate.add()
            line[index].answer = .rendered(Refusal.answerTooSlow.answer)
            changed = true
        }
        if changed { send() }
    }

    func closed() {
        isOver = true
        abandonLine()
        writer.stop()
    }

    private func abandonLine() {
        while var slot = line.popFirst() {
            if slot.hasBegun { slot.account?.outcome.status = writer.status }
            if let account = slot.account { loop.finished(account) }
        }
    }
}

/// A request in line, and its answer once there is one.
struct HTTP1Slot {
    let number: Int
    /// nil for what the server refused before it was a request.
    var account: RequestAccount?
    /// Not `.later`.
    var answer: EdgeAnswer.Content?
    var closes: Bool
    var hasBegun = false
}

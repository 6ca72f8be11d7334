import NIOCore
import NIOSSL

/// The inner side of a `WireClient`, confined to its event loop: requests that wait, and the connections that take them.
///
/// As libcurl does: all share one connection as long as it has room, then a second one is opened; while it is open whether
/// the first one will speak HTTP/2, the others wait for it.
final class WirePool: WireListener {
    typealias Done = ([WireOutcome]) -> Void
    /// The number of a request within its burst, and what became of it.
    typealias Each = (Int, WireOutcome) -> Void

    private let target: WireTarget
    private let tls: NIOSSLContext?
    private let loop: any EventLoop
    private let limits: WireClient.Limits
    private let opened: () -> Void
    private var connections: [WireConnection] = []
    private var items: [Item?] = []
    private var free: [Int] = []
    private var waiting = CircularBuffer<Int>()
    private var sweeper: Scheduled<Void>?
    private var isClosed = false
    private var isFilling = false

    private static let fieldBytesMax = 64 << 10
    private static let bodyBytesMax = 512 << 20

    private final class Burst {
        var outcomes: [WireOutcome?]
        var left: Int
        let each: Each
        let done: Done

        init(_ count: Int, _ each: @escaping Each, _ done: @escaping Done) {
            outcomes = Array(repeating: nil, count: count)
            left = count
            self.each = each
            self.done = done
        }
    }

    private struct Item {
        let parcel: WireParcel
        let burst: Burst
        let number: Int
        var connection: WireConnection?
        var retriesLeft: Int
        var sent = NIODeadline.now()
        var firstByte: NIODeadline?
        var status = 0
        var fields: [(name: String, value: String)] = []
        var fieldBytes = 0
        var body = ByteBuffer()
        var bodyBytes = 0

        /// Those that wait are not late: they have not been sent.
        var dueFrom: NIODeadline? { connection == nil ? nil : sent }
    }

    /// - Parameter opened: called for each connection that was begun.
    init(
        _ target: WireTarget, tls: NIOSSLContext?, on loop: any EventLoop, limits: WireClient.Limits,
        opened: @escaping () -> Void
    ) {
        self.target = target
        self.tls = tls
        self.loop = loop
        self.limits = limits
        self.opened = opened
    }

    /// - Parameter each: called with each outcome when it is in.
    func burst(_ requests: [WireRequest], each: @escaping Each, done: @escaping Done) {
        guard !requests.isEmpty else { return done([]) }
        let burst = Burst(requests.count, each, done)
        for (number, request) in requests.enumerated() {
            let item = Item(
                parcel: WireParcel(request, to: target), burst: burst, number: number, retriesLeft: limits.retriesMax)
            waiting.append(add(item))
        }
        fill()
    }

    func close() {
        isClosed = true
        sweeper?.cancel()
        for connection in connections { connection.close(nil) }
    }

    private func add(_ item: Item) -> Int {
        if let tag = free.popLast() {
            items[tag] = item
            return tag
        }
        items.append(item)
        return items.count - 1
    }

    // MARK: Sharing out

    private func fill() {
        // A connection that fails at once would come back here from within.
        guard !isFilling else { return }
        isFilling = true
        defer { isFilling = false }
        while !waiting.isEmpty {
            if isClosed {
                finish(waiting.removeFirst(), .failure(.closed))
            } else if let connection = connections.first(where: { $0.room > 0 }) {
                send(on: connection)
            } else if mayOpen {
                open()
            } else {
                break
            }
        }
        for connection in connections { connection.flushRequests() }
        sweepLater()
    }

    /// One for each that waits at most, and none while the first one is still to say what it speaks.
    private var mayOpen: Bool {
        connections.count < limits.connectionsMax && connections.allSatisfy(\.isSettled)
            && connections.count(where: \.isConnecting) < waiting.count
    }

    private func send(on connection: WireConnection) {
        let tag = waiting.removeFirst()
        items[tag]?.connection = connection
        items[tag]?.sent = .now()
        guard let parcel = items[tag]?.parcel else { return }
        connection.send(parcel, tag: tag)
    }

    private func open() {
        let settings = target.speech == .upgrade ? HTTP2Settings.curl : limits.settings
        let connection = WireConnection(target, streamsMax: limits.streamsMax, settings: settings, listener: self)
        connections.append(connection)
        opened()
        connection.open(on: loop, tls: tls, within: limits.connectTime)
    }

    func isReady(_ connection: WireConnection) { fill() }

    func ended(_ connection: WireConnection, _ failure: WireFailure?) {
        connections.removeAll { $0 === connection }
        // Nobody could be reached: those who wait would only try the same again.
        if case .cannotConnect? = failure, connections.isEmpty {
            let failed = Array(waiting)
            waiting.removeAll()
            for tag in failed { finish(tag, .failure(failure ?? .closed)) }
        }
        fill()
    }

    // MARK: Answers

    func answerBegan(_ tag: Int, status: Int) {
        if items[tag]?.firstByte == nil { items[tag]?.firstByte = .now() }
        items[tag]?.status = status
        items[tag]?.fields.removeAll(keepingCapacity: true)
    }

    func answerField(_ tag: Int, name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        guard let bytes = items[tag]?.fieldBytes else { return }
        let now = bytes + name.count + value.count
        items[tag]?.fieldBytes = now
        guard now <= Self.fieldBytesMax else { return giveUp(tag, .garbled("the head is too large")) }
        items[tag]?.fields.append(
            (String(decoding: name, as: UTF8.self).lowercased(), String(decoding: value, as: UTF8.self)))
    }

    func answerBytes(_ tag: Int, _ bytes: UnsafeRawBufferPointer) {
        guard let item = items[tag] else { return }
        guard item.bodyBytes + bytes.count <= Self.bodyBytesMax else {
            return giveUp(tag, .garbled("the body is too large"))
        }
        items[tag]?.bodyBytes += bytes.count
        if item.parcel.request.keepsBody { items[tag]?.body.writeBytes(bytes) }
    }

    func answerEnded(_ tag: Int) {
        guard let item = items[tag] else { return }
        let ended = NIODeadline.now()
        finish(
            tag,
            .success(
                WireAnswer(
                    status: item.status, isHTTP2: item.connection?.speaksHTTP2 ?? false, fields: item.fields,
                    body: item.body, bodyBytes: item.bodyBytes, sent: item.sent, firstByte: item.firstByte ?? ended,
                    ended: ended)))
        fill()
    }

    func failed(_ tag: Int, _ failure: WireFailure, isUntouched: Bool) {
        guard let item = items[tag] else { return }
        if isUntouched, item.retriesLeft > 0, !isClosed {
            items[tag]?.retriesLeft -= 1
            items[tag]?.connection = nil
            waiting.prepend(tag)
        } else {
            finish(tag, .failure(failure))
        }
        fill()
    }

    private func giveUp(_ tag: Int, _ failure: WireFailure) {
        let connection = items[tag]?.connection
        finish(tag, .failure(failure))
        connection?.cancel(tag)
    }

    private func finish(_ tag: Int, _ outcome: WireOutcome) {
        guard let item = items[tag] else { return }
        items[tag] = nil
        free.append(tag)
        item.burst.outcomes[item.number] = outcome
        item.burst.left -= 1
        item.burst.each(item.number, outcome)
        if item.burst.left == 0 { item.burst.done(item.burst.outcomes.map { $0 ?? .failure(.closed) }) }
    }

    // MARK: Time

    /// One timer for all: it looks again when the oldest request is due.
    private func sweepLater() {
        guard sweeper == nil, !isClosed, let oldest = items.lazy.compactMap({ $0?.dueFrom }).min() else { return }
        sweeper = loop.assumeIsolated().scheduleTask(deadline: oldest + limits.answerTime) {
            self.sweeper = nil
            self.sweep()
        }
    }

    private func sweep() {
        let since = NIODeadline.now() - limits.answerTime
        for (tag, item) in items.enumerated() {
            if let due = item?.dueFrom, due <= since { giveUp(tag, .tooSlow) }
        }
        fill()
    }
}

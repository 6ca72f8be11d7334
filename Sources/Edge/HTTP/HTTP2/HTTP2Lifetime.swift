import NIOCore

/// What time and a stopping server do to an HTTP/2 connection.
extension HTTP2Connection {
    var waitsForClient: Bool { streams.values.contains { $0.bytesAtHand > 0 } }

    func inputEnded() { connection.closeNow() }

    /// First a notice, so that streams on their way are still taken; when the client has seen it (it answers our PING),
    /// the number of the last stream that will be answered. RFC 9113, 6.8.
    func drain() {
        guard case .no = draining else { return }
        draining = .noticed(since: .now())
        output.writeSettingsOnce()
        output.goaway(last: HTTP2.streamLast, .noError)
        withUnsafeBytes(of: UInt64(0)) { output.write(HTTP2.ping, stream: 0, $0) }
        send()
    }

    func pongCame() {
        if case .noticed = draining { sayGoodbye() }
    }

    func sayGoodbye() {
        if case .said = draining { return }
        draining = .said
        output.goaway(last: lastStream, .noError)
    }

    func tick(_ now: NIODeadline) {
        guard !isOver else { return }
        let limits = loop.shared.configuration
        if case .noticed(let since) = draining, now > since + limits.freshTime {
            sayGoodbye()
            send()
        }
        guard !streams.isEmpty else {
            if now > lastActive + limits.idleTime { breakOff(.noError) }
            return
        }
        lastActive = now
        var changed = false
        for stream in streams.values where check(stream, now, limits) { changed = true }
        if changed { send() }
    }

    /// - Returns: true if there is something to send because of it.
    private func check(_ stream: HTTP2Stream, _ now: NIODeadline, _ limits: EdgeServerConfiguration) -> Bool {
        switch stream.phase {
        case .awaitsEnd:
            guard now > stream.account.arrived + limits.headTime else { return false }
            refuse(stream, .headTooSlow)
        case .awaitsAnswer:
            guard now > stream.account.arrived + limits.answerTime else { return false }
            loop.figures.answersLate.add()
            refuse(stream, .answerTooSlow)
        case .opening, .over:
            return false
        case .answering:
            // Others may flow meanwhile: only a shut window is the client's doing.
            guard stream.bytesAtHand > 0, now > stream.lastSent + limits.stallTime, stream.window <= 0 || window <= 0
            else { return false }
            loop.figures.stalls.add()
            output.reset(stream.id, .cancel)
            end(stream)
        }
        return true
    }
}

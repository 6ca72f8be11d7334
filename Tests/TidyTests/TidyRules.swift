/// The mechanical part of docs/STYLE.md. Each rule returns what it objects to, as `path:line: sentence`.
///
/// No parser: the formatter guarantees that a declaration begins its line and that a body ends at the next `}` of its
/// own indentation.
enum TidyRules {
    static let fileLinesMax = 400
    static let functionLinesMax = 60

    static func fileLength(_ file: SourceFile) -> [String] {
        let count = file.lines.count
        return count > fileLinesMax + 1 ? ["\(file.path):\(count): more than \(fileLinesMax) lines"] : []
    }

    static func functionLength(_ file: SourceFile) -> [String] {
        file.lines.indices.compactMap { start in
            guard
                file.lines[start].firstMatch(of: #/^\s*(@?\w+(\(\w+\))? )*(func |init[(?<]|deinit\b|subscript\()/#)
                    != nil,
                let end = endOfBody(file.lines, from: start), end - start + 1 > functionLinesMax
            else { return nil }
            return "\(file.path):\(start + 1): a function of \(end - start + 1) lines; \(functionLinesMax) is the end"
        }
    }

    /// The index of a body's last line; nil for a requirement, which has none.
    private static func endOfBody(_ lines: [String], from start: Int) -> Int? {
        let indentation = lines[start].prefix { $0 == " " }
        for index in start..<lines.count {
            let line = lines[index]
            let isHead =
                index == start || line.hasPrefix(indentation + " ") || line.hasPrefix(indentation + ")")
                || line.hasPrefix(indentation + "where ")
            guard isHead else { return nil }
            if line.hasSuffix("{") || line.contains(#/\{ .* in$/#) {
                return lines[(index + 1)...].firstIndex { $0.hasPrefix(indentation + "}") }
            }
            if line.hasSuffix("}") { return index }
        }
        return nil
    }

    /// Types and functions that other rooms see are explained. A property's or initializer's name may be enough, the
    /// texts of an error explain it, and what a conformance written as an extension brings is explained by the protocol.
    ///
    /// - Parameter required: functions that our own protocols ask for, `read(`; the protocol explains them.
    static func undocumentedDoors(_ file: SourceFile, required: Set<String> = []) -> [String] {
        let door =
            #/
            ^\s*(@\w+\ )*package\ ((final|static|mutating|nonmutating|indirect|nonisolated|consuming|borrowing)\ )*
            (struct|class|actor|enum|protocol|typealias|func|subscript)\b
            /#
        return file.lines.indices.compactMap { index in
            guard file.lines[index].contains("package "), file.lines[index].firstMatch(of: door) != nil,
                !isConformance(file.lines, index, required)
            else { return nil }
            // A comment holds for its paragraph: for all doors up to the next empty line.
            let paragraph = file.lines[..<index].reversed().prefix { !$0.allSatisfy(\.isWhitespace) }
            let indentation = file.lines[index].prefix { $0 == " " }
            let isExplained = paragraph.contains { $0.hasPrefix(indentation + "///") }
            return isExplained ? nil : "\(file.path):\(index + 1): a door without a doc comment"
        }
    }

    /// The functions that a file's protocols ask for, as `name(`.
    static func requirements(_ file: SourceFile) -> [String] {
        var isProtocol = false
        return file.lines.compactMap { line in
            if line.contains(#/^(package )?protocol /#) { isProtocol = true }
            if line.hasPrefix("}") { isProtocol = false }
            return isProtocol
                ? line.firstMatch(of: #/^    (?:mutating )?func (\w+\()/#).map { String($0.output.1) } : nil
        }
    }

    private static let explainedElsewhere: [String] = [
        ": Error, ",
        "func run() async throws", "static func == ", "static func < ", "static func + ", "static func - ",
        "func hash(into", "func encode(to", "func log(event",
        "func handle(", "func add(to router", "func makeAsyncIterator(", "func next(", "context: ChannelHandlerContext",
        "triggerUserOutboundEvent(", "typealias Inbound", "typealias Outbound", "func appendLiteral(",
        "func respond(to",
        "func channel",
        "func handlerAdded(context", "func handlerRemoved(context",
    ]

    private static func isConformance(_ lines: [String], _ index: Int, _ required: Set<String>) -> Bool {
        if required.contains(where: { lines[index].contains("func \($0)") }) { return true }
        if explainedElsewhere.contains(where: lines[index].contains) { return true }
        let indentation = lines[index].prefix { $0 == " " }.count
        let owner = lines[..<index].last { line in
            !line.isEmpty && line.prefix { $0 == " " }.count < indentation && !line.hasPrefix("#")
        }
        return owner?.contains(#/^\s*extension .*: /#) ?? false
    }

    static func forbiddenWords(_ file: SourceFile) -> [String] {
        let words: [(Regex<Substring>, String)] = [
            (#/^ *public\b/#, "`public`: nobody outside this package imports us"),
            (#/\btry!/#, "`try!`: handle the error, or say with `precondition` why it can't happen"),
            (#/\bfatalError\(/#, "`fatalError`: use `precondition` with the invariant in words"),
        ]
        let objections = file.code.flatMap { number, text in
            words.filter { text.contains($0.0) }.map { "\(file.path):\(number): \($0.1)" }
        }
        let todos = file.lines.enumerated().filter { _, line in
            line.contains(#/\b(TODO|FIXME|XXX)\b/#) && !line.contains(#/\b(TODO|FIXME)\(?:? ?#\d+/#)
        }
        return objections
            + todos.map { "\(file.path):\($0.offset + 1): a TODO without the number of its issue: TODO #12" }
    }

    /// A room by its folder, and what it may import beside the system's own modules. The nearest folder counts.
    static let rooms: [(folder: String, imports: Set<String>)] = [
        ("Sources/Shared/Registry", []),
        ("Sources/Shared/CrateFile", ["Registry", "CZlib", "Crypto", "TOMLKit"]),
        ("Sources/Shared/Facts", ["Registry", "CrateFile"]),
        ("Sources/Shared/PolicyRules", ["Registry", "CrateFile", "Facts"]),
        ("Sources/Shared/Signing", ["Registry", "Crypto"]),
        (
            "Sources/Shared/Hosting",
            [
                "Signing", "Hummingbird", "HTTPTypes", "Logging", "CoreMetrics", "Metrics", "ServiceLifecycle",
                "UnixSignals",
                "ArgumentParser", "Configuration", "NIOCore", "NIOPosix",
            ]
        ),
        ("Sources/Origin/Postgres", ["CLibpq", "Logging", "NIOCore", "NIOPosix"]),
        ("Sources/Origin/Main", ["Origin"]),
        (
            "Sources/Origin",
            [
                "Registry", "CrateFile", "Facts", "PolicyRules", "Signing", "Hosting", "Postgres", "Hummingbird",
                "HummingbirdCore", "HTTPTypes",
                "NIOHTTPTypes", "AsyncHTTPClient", "ArgumentParser", "Crypto", "Logging", "CoreMetrics", "Metrics",
                "NIOCore",
                "NIOFoundationCompat", "NIOFoundationEssentialsCompat", "NIOHTTP1", "NIOPosix",
                "NIOHTTPCompression", "ServiceLifecycle", "Subprocess",
            ]
        ),
        (
            "Sources/Edge/HTTP",
            ["CNghttp2", "CZlib", "Logging", "CoreMetrics", "Metrics", "NIOCore", "NIOPosix", "NIOSSL", "NIOTLS"]
        ),
        ("Sources/Edge/Cache", ["Registry", "GRDB", "Crypto", "Logging", "NIOCore", "NIOPosix"]),
        ("Sources/Edge/Ledger", ["Registry", "GRDB", "Logging"]),
        ("Sources/Edge/Main", ["Edge"]),
        (
            "Sources/Edge",
            [
                "Registry", "Signing", "EdgeCache", "EdgeHTTP", "EdgeLedger", "Hosting", "AsyncHTTPClient",
                "ArgumentParser",
                "Crypto", "CZlib",
                "Logging", "CoreMetrics", "Metrics", "NIOCore", "NIOFoundationCompat", "NIOFoundationEssentialsCompat",
                "NIOHTTP1", "NIOPosix", "NIOSSL",
                "ServiceLifecycle",
            ]
        ),
        ("loadtests/Main", ["LoadTest"]),
        (
            "loadtests",
            [
                "Registry", "CrateFile", "CNghttp2", "Crypto", "Histogram", "AsyncHTTPClient",
                "ArgumentParser",
                "NIOCore",
                "NIOHTTP1", "NIOPosix",
                "NIOSSL",
                "NIOTLS", "Subprocess",
            ]
        ),
    ]
    static let systemModules: Set<String> = [
        "Foundation", "FoundationEssentials", "Synchronization", "Dispatch", "Glibc", "Musl", "Darwin",
    ]

    static func strayImports(_ file: SourceFile) -> [String] {
        let fitting = rooms.filter { file.path.hasPrefix($0.folder + "/") }
        guard let room = fitting.max(by: { $0.folder.count < $1.folder.count }) else {
            return ["\(file.path):1: this folder is no room; TidyRules.rooms lists them"]
        }
        return file.code.compactMap { number, text in
            let line =
                #/
                ^\s*(?:@\w+\ )*(?:(?:package|private|internal|public)\ )?
                import\ (?:(?:struct|enum|class|func)\ )?(\w+)
                /#
            guard let name = text.firstMatch(of: line).map({ String($0.output.1) }),
                !room.imports.contains(name), !systemModules.contains(name)
            else { return nil }
            return "\(file.path):\(number): \(room.folder) may not import \(name); see docs/ARCHITECTURE.md"
        }
    }
}

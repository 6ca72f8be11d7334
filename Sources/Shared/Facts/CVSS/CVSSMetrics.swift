/// Which metrics a CVSS version has, in its order, and their values.
struct CVSSMetrics {
    struct Metric {
        let name: String
        let values: [String]
        let isRequired: Bool

        /// The first letter tells the values of each metric that is scored apart; nil for what is no value.
        func value(_ text: String) -> Character? { values.contains(text) ? text.first : nil }
    }

    let metrics: [Metric]
    /// True if a vector must keep this order.
    let isOrdered: Bool
    private let places: [String: Int]

    private init(isOrdered: Bool, required: String, optional: String) {
        self.isOrdered = isOrdered
        metrics = Self.read(required, isRequired: true) + Self.read(optional, isRequired: false)
        places = Dictionary(uniqueKeysWithValues: metrics.enumerated().map { ($1.name, $0) })
    }

    func place(of name: String) -> Int? { places[name] }

    private static func read(_ text: String, isRequired: Bool) -> [Metric] {
        text.split(whereSeparator: \.isWhitespace).map { word in
            let parts = word.split(separator: "=")
            return Metric(
                name: String(parts[0]), values: parts[1].split(separator: ",").map(String.init), isRequired: isRequired)
        }
    }

    static let v3 = CVSSMetrics(
        isOrdered: false,
        required: "AV=N,A,L,P AC=L,H PR=N,L,H UI=N,R S=U,C C=H,L,N I=H,L,N A=H,L,N",
        optional: """
            E=X,H,F,P,U RL=X,U,W,T,O RC=X,C,R,U CR=X,H,M,L IR=X,H,M,L AR=X,H,M,L MAV=X,N,A,L,P MAC=X,L,H MPR=X,N,L,H
            MUI=X,N,R MS=X,U,C MC=X,H,L,N MI=X,H,L,N MA=X,H,L,N
            """)

    static let v4 = CVSSMetrics(
        isOrdered: true,
        required: "AV=N,A,L,P AC=L,H AT=N,P PR=N,L,H UI=N,P,A VC=H,L,N VI=H,L,N VA=H,L,N SC=H,L,N SI=H,L,N SA=H,L,N",
        optional: """
            E=X,A,P,U CR=X,H,M,L IR=X,H,M,L AR=X,H,M,L MAV=X,N,A,L,P MAC=X,L,H MAT=X,N,P MPR=X,N,L,H MUI=X,N,P,A
            MVC=X,H,L,N MVI=X,H,L,N MVA=X,H,L,N MSC=X,H,L,N MSI=X,S,H,L,N MSA=X,S,H,L,N S=X,N,P AU=X,N,Y R=X,A,U,I
            V=X,D,C RE=X,L,M,H U=X,Clear,Green,Amber,Red
            """)
}

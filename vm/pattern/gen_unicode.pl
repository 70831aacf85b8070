#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Writes unicode.def from the Unicode database that comes with perl: general categories, scripts and simple
# case folding orbits. In: nothing. Out: the .def text on standard output. Run by hand when Unicode moves on:
#   perl vm/pattern/gen_unicode.pl > vm/pattern/unicode.def
use strict;
use warnings;
use Unicode::UCD qw(prop_invlist prop_values prop_value_aliases all_casefolds);

my (@ranges, @groups);

sub group {
    my ($name, $prop) = @_;
    my @inv = prop_invlist($prop);
    my $first = @ranges;
    while (@inv) {
        my $lo = shift @inv;
        my $hi = @inv ? shift(@inv) - 1 : 0x10FFFF;
        push @ranges, [$lo, $hi];
    }
    push @groups, [$name, $first, @ranges - $first];
}

for my $gc (qw(Cc Cf Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs)) {
    group($gc, "Gc=$gc");
}
for my $short (sort(prop_values("Script"))) {
    my @names = prop_value_aliases("Script", $short);
    my $long = $names[1] // $names[0];
    next if !defined $long || $long eq "Unknown" || $long eq "Katakana_Or_Hiragana";
    group($long, "Script=$short");
}

# Orbits: every code point maps to the next one that folds alike, the last to the first.
my (%next, %class);
my $folds = all_casefolds();
for my $cp (keys %$folds) {
    my $to = $folds->{$cp}{simple};
    next if $to eq "";
    push @{$class{hex $to}}, $cp;
}
for my $to (keys %class) {
    my @o = sort { $a <=> $b } ($to, @{$class{$to}});
    $next{$o[$_]} = $o[($_ + 1) % @o] for 0 .. $#o;
}
my @fold;
my @cps = sort { $a <=> $b } keys %next;
while (@cps) {
    my $lo = shift @cps;
    my $hi = $lo;
    my $d = $next{$lo} - $lo;
    if ($d == 1) { # pairs (x, x+1) swapping places, one after another
        my $p = $lo;
        while (defined $next{$p} && $next{$p} == $p + 1 && defined $next{$p + 1} && $next{$p + 1} == $p) {
            $hi = $p + 1;
            $p += 2;
        }
        if ($hi > $lo) {
            shift @cps while @cps && $cps[0] <= $hi;
            push @fold, [$lo, $hi, ($lo & 1) ? "AG_UNI_ODD_EVEN" : "AG_UNI_EVEN_ODD"];
            next;
        }
    }
    while (@cps && $cps[0] == $hi + 1 && $next{$cps[0]} - $cps[0] == $d) {
        $hi = shift @cps;
    }
    push @fold, [$lo, $hi, $d];
}

sub rows {
    my ($line, @out) = ("");
    for (@_) {
        if (length($line) + length($_) + 1 > 110) { push @out, $line; $line = ""; }
        $line .= $line eq "" ? $_ : " $_";
    }
    return join("\n", @out, $line) . "\n";
}

print "// SPDX-License-Identifier: Apache-2.0\n// Unicode ", Unicode::UCD::UnicodeVersion(), ": written by gen_unicode.pl, not by hand.\n";
print "// AG_UNI_RANGE(lo, hi): code points, grouped; AG_UNI_GROUP(name, first range, ranges): sorted inside a group;\n";
print "// AG_UNI_FOLD(lo, hi, delta): the next code point of the same simple case folding, sorted by lo.\n";
print "// Users define the macros that they need; the others expand to nothing.\n// clang-format off\n";
print "#ifndef AG_UNI_RANGE\n#define AG_UNI_RANGE(lo, hi)\n#endif\n";
print "#ifndef AG_UNI_GROUP\n#define AG_UNI_GROUP(name, first, n)\n#endif\n";
print "#ifndef AG_UNI_FOLD\n#define AG_UNI_FOLD(lo, hi, delta)\n#endif\n";
print rows(map { sprintf "AG_UNI_RANGE(0x%X,0x%X)", @$_ } @ranges);
print rows(map { sprintf "AG_UNI_GROUP(\"%s\",%d,%d)", @$_ } @groups);
print rows(map { sprintf "AG_UNI_FOLD(0x%X,0x%X,%s)", @$_ } @fold);
print "#undef AG_UNI_RANGE\n#undef AG_UNI_GROUP\n#undef AG_UNI_FOLD\n// clang-format on\n";

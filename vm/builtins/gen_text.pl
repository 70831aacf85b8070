#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Writes text.def from the Unicode database that comes with perl: simple case mappings of single code points and
# the code points that are printed as they are. In: nothing. Out: the .def text on standard output. Run by hand:
#   perl vm/builtins/gen_text.pl > vm/builtins/text.def
use strict;
use warnings;
use Unicode::UCD qw(prop_invlist prop_invmap);

print "// SPDX-License-Identifier: Apache-2.0\n";
print "// Unicode " . Unicode::UCD::UnicodeVersion() . ": written by gen_text.pl, not by hand.\n";
print <<'END';
// AG_LOWER(lo, hi, step, delta), AG_UPPER(...): the code points lo, lo + step .. hi map to themselves plus delta.
// AG_PRINTED(lo, hi): letters, marks, numbers, punctuation, symbols beyond ASCII. All sorted by lo.
// Users define the macro that they need; the others expand to nothing.
// clang-format off
#ifndef AG_LOWER
#define AG_LOWER(lo, hi, step, delta)
#endif
#ifndef AG_UPPER
#define AG_UPPER(lo, hi, step, delta)
#endif
#ifndef AG_PRINTED
#define AG_PRINTED(lo, hi)
#endif
END

sub put {
    my $line = "";
    for my $item (@_) {
        if (length($line) + length($item) > 110) { print "$line\n"; $line = ""; }
        $line .= ($line eq "" ? "" : " ") . $item;
    }
    print "$line\n";
}

for my $what (["AG_LOWER", "Simple_Lowercase_Mapping"], ["AG_UPPER", "Simple_Uppercase_Mapping"]) {
    my ($name, $prop) = @$what;
    my ($starts, $maps) = prop_invmap($prop);
    my @pairs;
    for my $i (0 .. $#$starts) {
        my $to = $maps->[$i];
        next if $to == 0;
        my $end = $i < $#$starts ? $starts->[$i + 1] - 1 : 0x10FFFF;
        # An entry maps its first code point to $to and the following ones each to one more.
        push @pairs, [$_, $to + ($_ - $starts->[$i]) - $_] for $starts->[$i] .. $end;
    }
    my @runs;
    for my $p (@pairs) {
        my $r = $runs[-1];
        if ($r && $r->{delta} == $p->[1]) {
            my $gap = $p->[0] - $r->{hi};
            if ($gap <= 2 && ($r->{n} == 1 || $r->{step} == $gap)) {
                $r->{step} = $gap; $r->{hi} = $p->[0]; $r->{n}++;
                next;
            }
        }
        push @runs, {lo => $p->[0], hi => $p->[0], step => 1, delta => $p->[1], n => 1};
    }
    put(map { sprintf("%s(0x%X,0x%X,%d,%d)", $name, $_->{lo}, $_->{hi}, $_->{step}, $_->{delta}) } @runs);
}

my @all;
for my $gc (qw(L M N P S)) {
    my @inv = prop_invlist("Gc=$gc");
    while (@inv) {
        my $lo = shift @inv;
        my $hi = @inv ? shift(@inv) - 1 : 0x10FFFF;
        push @all, [$lo < 0x80 ? 0x80 : $lo, $hi] if $hi >= 0x80;
    }
}
my @merged;
for my $r (sort { $a->[0] <=> $b->[0] } @all) {
    if (@merged && $r->[0] <= $merged[-1][1] + 1) {
        $merged[-1][1] = $r->[1] if $r->[1] > $merged[-1][1];
    } else {
        push @merged, [@$r];
    }
}
put(map { sprintf("AG_PRINTED(0x%X,0x%X)", @$_) } @merged);
print "#undef AG_LOWER\n#undef AG_UPPER\n#undef AG_PRINTED\n";
